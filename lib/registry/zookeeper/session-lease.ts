import { BEATS_PER_SESSION } from '../../zookeeper-client/connection.js'
import type { Clock, Moment } from '../../common/clock.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'

/** Reports of a follower to its leader per session: two per tick, and a session lasts at least two ticks. */
const REPORTS_PER_SESSION = 4
/** Longest time between two reports, of an ensemble whose tick lasts 6 s: the usual one is 2 s. */
const MAX_REPORT_MS = 3000

/** Start of the time for which a node's session is certainly alive. */
export interface SessionLease {
  /** Begins with a new connection. */
  begin (): void
  /** Whether the leader heard of the session so recently that a heartbeat keeps it alive. */
  isFresh (): boolean
  /** After so many milliseconds a follower has told the leader what it heard. */
  reportMs (): number
  /**
   * Takes a successful heartbeat that was sent at this moment.
   *
   * @returns start of the lease. A server that dies may lose the time of the latest heartbeat, although it handled the
   * heartbeat; and the one before may be old, if this process was suspended in between
   */
  hear (sentAt: Moment): Moment
}

type Client = Pick<ZooKeeperClient, 'sessionTimeout' | 'connectionStart'>

export function createSessionLease ({ sessionTimeout, connectionStart }: Client, clock: Clock): SessionLease {
  /** Sending of the latest heartbeat, and of the latest one that the leader knows no matter which server dies. */
  let heard = connected()
  let known = heard

  /**
   * The leader heard of the session after this moment. That may be long ago: the connection may be old, and this
   * process may have been suspended while it connected.
   */
  function connected (): Moment {
    return connectionStart() ?? { monotonic: -Infinity, wall: -Infinity }
  }

  const reportMs = () => Math.min(MAX_REPORT_MS, sessionTimeout() / REPORTS_PER_SESSION)

  return {
    begin () {
      known = heard = connected()
    },
    isFresh () {
      return clock.monotonic() - known.monotonic < sessionTimeout() / BEATS_PER_SESSION
    },
    reportMs,
    hear (sentAt) {
      if (sentAt.monotonic - heard.monotonic >= reportMs()) {
        known = heard
        heard = sentAt
      }
      return known
    }
  }
}
