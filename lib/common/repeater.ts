import type { Clock } from './clock.js'

/** Runs one piece of work again and again, the next after the one before. */
export interface Repeater {
  isOn (): boolean
  /** @param ms until the first run */
  start (ms?: number): void
  /** Now rather than when it is due. Does nothing while it is off. */
  hurry (): void
  stop (): void
}

/** @param work returns the milliseconds until the next run, and never throws */
export function createRepeater (clock: Clock, work: () => Promise<number>): Repeater {
  let isOn = false
  let cancel = () => {}

  function runAfter (ms: number): void {
    cancel()
    const cancelThis = clock.after(ms, async () => {
      const wait = await work()
      // Stopped, or hurried, meanwhile.
      if (isOn && cancel === cancelThis) runAfter(wait)
    })
    cancel = cancelThis
  }

  return {
    isOn: () => isOn,
    start (ms = 0) {
      isOn = true
      runAfter(ms)
    },
    hurry () {
      if (isOn) runAfter(0)
    },
    stop () {
      isOn = false
      cancel()
    }
  }
}

/** Not alike in all gateways, or they would all ask at once. */
export const jittered = (ms: number): number => ms * (0.9 + Math.random() * 0.2)
