import type { Clock, Moment } from '../../common/clock.js'

/** A node's own view of its lease, which ends before the store's. */
export interface Lease {
  /** Whether the store certainly keeps the lease. Synchronous, since a timer alone fires too late after a pause. */
  valid (): boolean
  /** Renews the lease by an acknowledged heartbeat that was sent at this moment, unless that was too long ago. */
  renew (sentAt: Moment): void
  /** Ends the lease until the next renewal. */
  lapse (): void
  /** Ends the lease without calling `onLapse`. */
  stop (): void
}

/** @param ms milliseconds; read each time, since a store may change them */
export function createLease (ms: () => number, onLapse: () => void, clock: Clock): Lease {
  let sentAt: Moment | undefined
  let cancelAlarm = () => {}

  // Suspending the machine stops the monotonic clock; setting its time moves the wall clock.
  const certainMs = () => ms() - Math.min(500, ms() / 12)
  const isCertainSince = ({ monotonic, wall }: Moment) =>
    clock.monotonic() - monotonic < certainMs() && clock.wall() - wall < certainMs()

  function valid (): boolean {
    if (sentAt === undefined) return false
    const isCertain = isCertainSince(sentAt)
    if (!isCertain) lapse()
    return isCertain
  }

  function watch (): void {
    cancelAlarm()
    const remaining = certainMs() - (clock.monotonic() - (sentAt?.monotonic ?? 0))
    // A timer may fire a little early.
    cancelAlarm = clock.after(Math.max(1, Math.ceil(remaining)), () => valid() && watch())
  }

  function stop (): void {
    cancelAlarm()
    sentAt = undefined
  }

  function lapse (): void {
    if (sentAt === undefined) return
    stop()
    onLapse()
  }

  return {
    valid,
    lapse,
    stop,
    renew (moment) {
      if (!isCertainSince(moment)) return
      sentAt = moment
      watch()
    }
  }
}
