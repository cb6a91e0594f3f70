import { memberOf } from '../nodes/member.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../common/clock.js'
import type { NodeView } from '../../../types/registry.js'

export interface MissedNodesOptions {
  clock: Clock
  /** Milliseconds for which nodes that vanished together are not considered dead. */
  doubtMs (): number
  log (): FastifyBaseLogger | undefined
}

/** Missing nodes that are not considered dead so far. */
export interface MissedNodes {
  /** Begins a silence, which proves no death: ZooKeeper may have been unreachable for the nodes as well. */
  beginSilence (): void
  isSilent (): boolean
  /** Whether any nodes are missed. */
  isDoubtful (): boolean
  /** Whether this member is among them. */
  has (member: string): boolean
  /**
   * Takes a new reading of the nodes.
   *
   * @param lost nodes that vanished since, and may return
   * @param isAtOnce whether too many vanished at once to be dead, rather than during a silence
   * @returns all missed nodes
   */
  update (living: readonly NodeView[], lost: readonly NodeView[], isAtOnce: boolean): readonly NodeView[]
}

export function createMissedNodes ({ clock, doubtMs, log }: MissedNodesOptions): MissedNodes {
  let missed: readonly NodeView[] = []
  let doubtUntil = -Infinity
  let silentUntil = -Infinity

  const isDoubtful = () => missed.length > 0 && clock.monotonic() < doubtUntil

  return {
    beginSilence () {
      silentUntil = clock.monotonic() + doubtMs()
    },
    isSilent: () => clock.monotonic() < silentUntil,
    isDoubtful,
    has: (member) => isDoubtful() && missed.some((node) => memberOf(node) === member),
    update (living, lost, isAtOnce) {
      const ids = new Set(living.map(({ id }) => id))
      const isAway = ({ id }: NodeView) => !ids.has(id)
      const known = isDoubtful() ? missed.filter(isAway) : []
      const added = lost.filter(isAway)
      missed = [...known, ...added]
      if (added.length > 0) {
        doubtUntil = isAtOnce ? clock.monotonic() + doubtMs() : Math.max(doubtUntil, silentUntil)
        log()?.warn(
          { missed: missed.length, left: living.length },
          'nodes vanished together or unobserved: their rooms stay bound'
        )
      }
      return missed
    }
  }
}
