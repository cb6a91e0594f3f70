import { performance } from 'node:perf_hooks'

/** Above this share, an answer waits for our own event loop rather than the loop for an answer. */
const SATURATED = 0.9
const WINDOW_MS = 250

/**
 * Watches the event loop from now on.
 *
 * @returns whether the loop was busy nearly all of the time
 */
export function watchEventLoop (): () => boolean {
  const before = performance.eventLoopUtilization()
  return () => performance.eventLoopUtilization(before).utilization > SATURATED
}

/**
 * Watches the event loop in windows, from one call of the result to the next.
 *
 * @returns whether the loop was busy nearly all of the latest complete window
 */
export function createSaturation (): () => boolean {
  let isBusy = watchEventLoop()
  let startedAt = performance.now()
  let isSaturated = false
  return () => {
    if (performance.now() - startedAt < WINDOW_MS) return isSaturated
    isSaturated = isBusy()
    isBusy = watchEventLoop()
    startedAt = performance.now()
    return isSaturated
  }
}

/**
 * Makes a function that measures the next turn of the event loop, unless a measurement is under way.
 *
 * @param onTurn receives the duration in milliseconds, without the time that the loop waits for events
 */
export function createTurnMeter (onTurn: (ms: number) => void): () => void {
  let isMeasuring = false
  return () => {
    if (isMeasuring) return
    isMeasuring = true
    setImmediate(() => {
      const startedAt = performance.now()
      setImmediate(() => {
        isMeasuring = false
        onTurn(performance.now() - startedAt)
      })
    })
  }
}
