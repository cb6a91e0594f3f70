import { momentOf } from '../membership/lease.js'
import { BEATS_PER_SESSION } from '../../zookeeper-client/connection.js'
import type { Clock } from '../../common/clock.js'
import type { Moment } from '../membership/lease.js'

/** Reports of a follower to its leader per session: two per tick, and a session lasts at least two ticks. */
const REPORTS_PER_SESSION = 4

/** Start of the time for which a node's session is certainly alive. */
export interface SessionLease {
  /** Begins a new session. */
  begin (): void
  /**
   * Takes a successful heartbeat that was sent at this moment.
   *
   * @returns start of the lease. A server that dies may lose the time of the latest heartbeat, although it handled the
   * heartbeat; and the one before may be old, if this process was suspended in between
   */
  hear (sentAt: Moment): Moment
}

export function createSessionLease (sessionMs: () => number, clock: Clock): SessionLease {
  /** Sending of the latest heartbeat, and of the latest one that the leader knows no matter which server dies. */
  let heard = connectedSince()
  let known = heard

  /** Earliest start of a connected session: the leader knows of it, and connecting takes at most a third of it. */
  function connectedSince (): Moment {
    const { monotonic, wall } = momentOf(clock)
    const ms = sessionMs() / BEATS_PER_SESSION
    return { monotonic: monotonic - ms, wall: wall - ms }
  }

  return {
    begin () {
      known = heard = connectedSince()
    },
    hear (sentAt) {
      if (sentAt.monotonic - heard.monotonic >= sessionMs() / REPORTS_PER_SESSION) {
        known = heard
        heard = sentAt
      }
      return known
    }
  }
}
