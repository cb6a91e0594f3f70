import type { Clock } from '../../common/clock.js'

/** A moment on both clocks. */
export interface Moment {
  monotonic: number
  wall: number
}

export const momentOf = (clock: Clock): Moment => ({ monotonic: clock.monotonic(), wall: clock.wall() })

/** A node's own idea of its lease, which ends before the store's. */
export interface Lease {
  /** Whether the store certainly holds it. Synchronous, since a timer alone is too late after a pause. */
  valid (): boolean
  /** A heartbeat sent at this moment was acknowledged. Does nothing when that was too long ago. */
  renew (sentAt: Moment): void
  /** It ended. Stays so until it is renewed. */
  lapse (): void
  /** Ends it without a word. */
  stop (): void
}

/** @param ms milliseconds; asked anew each time, since a store may change them */
export function createLease (ms: () => number, onLapse: () => void, clock: Clock): Lease {
  let sentAt: Moment | undefined
  let cancelAlarm = () => {}

  // A machine that was suspended stops the monotonic clock; one whose time is set moves the other.
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
