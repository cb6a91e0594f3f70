import { momentOf } from './lease.js'
import type { Clock } from '../../common/clock.js'
import type { Moment } from './lease.js'

/** The store's clock, as far as it is known here: signatures carry its dates, and a node's own may be set wrong. */
export interface StoreClock {
  /** The store said that it was this late after the moment. */
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
