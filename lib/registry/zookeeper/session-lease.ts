import { momentOf } from '../membership/lease.js'
import { BEATS_PER_SESSION } from '../../zookeeper-client/connection.js'
import type { Clock } from '../../common/clock.js'
import type { Moment } from '../membership/lease.js'

/** A follower tells its leader twice a tick who lives, and a session is two ticks at least. */
const REPORTS_PER_SESSION = 4

/** From when the session of a node lives its time for certain. */
export interface SessionLease {
  /** A new session begins. */
  begin (): void
  /**
   * A heartbeat that was sent at this moment got through.
   *
   * @returns from when the lease counts. A server that dies may take with it when it heard from us last, though the
   * heartbeat got through it; and that before may be old, where this process stood still in between
   */
  hear (sentAt: Moment): Moment
}

export function createSessionLease (sessionMs: () => number, clock: Clock): SessionLease {
  /** When the latest heartbeat was sent, and when the one that the leader knows of whichever server dies. */
  let heard = connectedSince()
  let known = heard

  /** A session that is made, or gone on with, is known to the leader; to connect takes a third of it at most. */
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
