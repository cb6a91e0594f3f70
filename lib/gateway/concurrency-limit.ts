/**
 * Longer turns of the event loop mean that requests wait for us rather than for a dependency. A higher target costs
 * throughput, as the garbage collector copies waiting requests (`npm run test:long -- overload`, on Redis, twice the
 * capacity: 72 to 75 % are answered at 40 ms, 75 to 84 % at 12 ms).
 */
const TARGET_TURN_MS = 12
const WINDOW_MS = 250
/** Time for which a burst may keep the loop slow without counting as overload. */
const PATIENCE_MS = 500
/** A lower limit would leave the loop idle while a dependency is asked. */
const FLOOR = 64
const MOST_FALL = 2
/** The limit is back to normal within a second. */
const MOST_RISE = 4

/** The number of requests that may be in flight, derived from the duration of the event loop's turns. */
export interface ConcurrencyLimit {
  current (inFlight: number): number
  /** A turn of the event loop took `ms`, with `inFlight` requests in flight then, or shortly before. */
  turned (ms: number, inFlight: number): void
}

/**
 * A gradient limit: falls while the event loop stays slow because of the requests in flight, and rises again as soon as
 * the loop is quick. A slow dependency leaves the loop idle, so it does not lower the limit.
 *
 * @param ceiling of the limit, and its initial value
 * @param now in milliseconds
 */
export function createConcurrencyLimit (ceiling: number, now: () => number): ConcurrencyLimit {
  const floor = Math.min(FLOOR, ceiling)
  let limit = ceiling
  let slowMs = 0
  let startedAt = now()
  let turnedAt = startedAt
  let [turns, totalMs, peak] = [0, 0, 0]

  function set (value: number): void {
    limit = Math.min(ceiling, Math.max(floor, Math.round(value)))
  }

  function startWindow (): void {
    startedAt = now();
    [turns, totalMs, peak] = [0, 0, 0]
  }

  function endWindow (): void {
    const gradient = Math.sqrt(TARGET_TURN_MS / (totalMs / turns))
    const ms = now() - startedAt
    // A loop that is slow with few requests in flight is slowed by the host: a lower limit would not make it quicker.
    if (gradient >= 1) {
      slowMs = 0
      set(limit * Math.min(gradient, MOST_RISE))
    } else if (peak >= floor) {
      slowMs += ms
      // One turn may last as long as several windows.
      if (slowMs > PATIENCE_MS) set(Math.min(limit, peak) * Math.max(gradient, MOST_FALL ** -(ms / WINDOW_MS)))
    }
    startWindow()
  }

  return {
    current (inFlight) {
      // With requests in flight, the current turn may be a long one.
      const idleWindows = inFlight === 0 ? Math.floor((now() - turnedAt) / WINDOW_MS) : 0
      if (idleWindows > 0) {
        slowMs = 0
        set(limit * MOST_RISE ** Math.min(idleWindows, 32))
        turnedAt = now()
        startWindow()
      }
      return limit
    },
    turned (ms, inFlight) {
      turnedAt = now()
      turns++
      totalMs += ms
      peak = Math.max(peak, inFlight)
      if (now() - startedAt >= WINDOW_MS) endWindow()
    }
  }
}
