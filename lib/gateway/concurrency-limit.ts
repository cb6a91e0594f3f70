/**
 * Turns of the event loop that last longer say that requests wait for us rather than for a dependency. More costs
 * throughput, as the garbage collector copies what waits (`npm run test:long -- overload`: 75 to 85 % of the capacity
 * at 20 ms, against more than 90 %).
 */
const TARGET_TURN_MS = 12
const WINDOW_MS = 250
/** A burst keeps the loop slow for so long without being taken for overload. */
const PATIENCE_MS = 500
/** Fewer would leave the loop idle while a dependency is asked. */
const FLOOR = 64
const MOST_FALL = 2
/** Back to normal within a second. */
const MOST_RISE = 4

/** How many requests may be in flight, by how long the event loop takes to get around. */
export interface ConcurrencyLimit {
  current (inFlight: number): number
  /** A turn of the event loop took `ms`, and so many requests were in flight then, or shortly before. */
  turned (ms: number, inFlight: number): void
}

/**
 * A gradient limit: it falls while the event loop stays slow because of the requests in flight, and rises again as soon
 * as the loop is quick. A slow dependency leaves the loop idle, so it lowers nothing.
 *
 * @param ceiling of the limit, where it begins
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
    // A loop that is slow with few requests in flight is slowed by the host: fewer would not make it quicker.
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
      // With requests in flight, a turn that has not ended yet may be a long one.
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
