import { memberOf } from '../nodes/member.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../common/clock.js'
import type { NodeView } from '../../../types/registry.js'

export interface MissedNodesOptions {
  clock: Clock
  /** Milliseconds for which nodes that vanished together are not held for dead. */
  doubtMs (): number
  log (): FastifyBaseLogger | undefined
}

/** Nodes that are not there and not held for dead yet. */
export interface MissedNodes {
  /** A silence is not a death: it may have been ZooKeeper that was away, and the nodes come back as we did. */
  beginSilence (): void
  isSilent (): boolean
  /** Whether there are any. */
  isDoubtful (): boolean
  /** Whether this member is among them. */
  has (member: string): boolean
  /**
   * Takes the nodes as they were just read.
   *
   * @param lost those that vanished since, and may come back
   * @param isAtOnce whether they are too many to be dead, rather than gone in a silence
   * @returns all that are missed
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
          { missed: missed.length, left: living.length }, 'nodes vanished at once, or unseen: their rooms stay for a while'
        )
      }
      return missed
    }
  }
}
