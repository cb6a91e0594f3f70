import type { FastifyBaseLogger } from 'fastify'
import type { NodeView } from '../../types/registry.js'

/** Different users who have to report a node: one caller cannot move it. */
const REPORTERS = 3
/** Milliseconds within which they have to, and for which the node is avoided from then on. */
const WINDOW_MS = 30_000
const AVOID_MS = 30_000
const MOST_NODES = 1000

type Incarnation = Pick<NodeView, 'id' | 'incarnation'>

interface Reported {
  /** Users and the times of their reports; at most `REPORTERS` of them. */
  users: Map<string, number>
  avoidedUntil: number
}

/**
 * Nodes that several users could not open a WebSocket to. For a while, other nodes come before them for new rooms of
 * this gateway. They stay candidates, and rooms that they hold stay there.
 */
export interface AvoidedNodes {
  report (node: Incarnation, user: string): void
  /** Whether no node is avoided now. */
  isEmpty (): boolean
  /**
   * Moves the avoided nodes to the end. If they are more than half of the candidates, the fault is probably on the side
   * of the clients, and the order stays.
   */
  order (candidates: readonly NodeView[]): readonly NodeView[]
}

/** @param now in milliseconds */
export function createAvoidedNodes (log: FastifyBaseLogger, now: () => number): AvoidedNodes {
  const reported = new Map<string, Reported>()
  let lastAvoidedUntil = 0
  const nameOf = ({ id, incarnation }: Incarnation) => `${id}/${incarnation}`
  const isAvoided = (node: Incarnation) => (reported.get(nameOf(node))?.avoidedUntil ?? 0) > now()

  function forgetOld (): void {
    for (const [name, { users, avoidedUntil }] of reported) {
      for (const [user, at] of users) if (now() - at > WINDOW_MS) users.delete(user)
      if (users.size === 0 && avoidedUntil <= now()) reported.delete(name)
    }
  }

  return {
    report (node, user) {
      forgetOld()
      const name = nameOf(node)
      const known = reported.get(name) ?? { users: new Map(), avoidedUntil: 0 }
      if (!reported.has(name) && reported.size >= MOST_NODES) return
      reported.set(name, known)
      known.users.set(user, now())
      if (known.users.size < REPORTERS) return
      known.users.clear()
      known.avoidedUntil = lastAvoidedUntil = now() + AVOID_MS
      log.warn({ node: node.id }, `${REPORTERS} users could not open a WebSocket to the node: ` +
        `new rooms prefer other nodes for ${AVOID_MS / 1000} s`)
    },
    isEmpty: () => reported.size === 0 || lastAvoidedUntil <= now(),
    order (candidates) {
      const avoided = candidates.filter(isAvoided)
      if (avoided.length === 0 || avoided.length > candidates.length / 2) return candidates
      return [...candidates.filter((node) => !isAvoided(node)), ...avoided]
    }
  }
}
