import { momentOf } from '../../common/clock.js'
import type { Clock, Moment } from '../../common/clock.js'

/** Estimate of the store's clock, which dates the signatures: a node's own clock may be wrong. */
export interface StoreClock {
  /** Takes the store's time from the answer to a call that was sent at this moment. */
  set (storeMs: number, sentAt: Moment): void
  /** Milliseconds since the epoch. Never behind the store's by more than one clock drifts. */
  now (): number
}

export function createStoreClock (clock: Clock): StoreClock {
  let known: { storeMs: number, sentAt: Moment } | undefined
  return {
    set (storeMs, sentAt) {
      known = { storeMs, sentAt }
    },
    now () {
      if (known === undefined) return clock.wall()
      const { monotonic, wall } = momentOf(clock)
      // A suspended machine stops the monotonic clock.
      return known.storeMs + Math.max(monotonic - known.sentAt.monotonic, wall - known.sentAt.wall)
    }
  }
}
