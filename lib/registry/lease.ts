/** A moment on both clocks. */
export interface Moment {
  monotonic: number
  wall: number
}

export const present = (): Moment => ({ monotonic: performance.now(), wall: Date.now() })

/** A node's own idea of its lease, which ends before the store's. */
export interface Lease {
  /** Whether the store certainly holds it. Synchronous, since a timer alone is too late after a pause. */
  valid (): boolean
  /** A heartbeat sent at this moment was acknowledged. */
  renew (sentAt: Moment): void
  /** It ended. Stays so until it is renewed. */
  lapse (): void
  /** Ends it without a word. */
  stop (): void
}

export function createLease (ms: number, onLapse: () => void): Lease {
  const certainMs = ms - Math.min(500, ms / 12)
  let sentAt: Moment | undefined
  let timer: NodeJS.Timeout | undefined

  function valid (): boolean {
    if (sentAt === undefined) return false
    // A machine that was suspended stops the monotonic clock; one whose time is set moves the other.
    const isCertain = performance.now() - sentAt.monotonic < certainMs && Date.now() - sentAt.wall < certainMs
    if (!isCertain) lapse()
    return isCertain
  }

  function watch (): void {
    clearTimeout(timer)
    const remaining = certainMs - (performance.now() - (sentAt?.monotonic ?? 0))
    // A timer may fire a little early.
    timer = setTimeout(() => valid() && watch(), Math.max(1, Math.ceil(remaining))).unref()
  }

  function stop (): void {
    clearTimeout(timer)
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
      sentAt = moment
      watch()
    }
  }
}
