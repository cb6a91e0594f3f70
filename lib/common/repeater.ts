import type { Clock } from './clock.js'

/** Runs one piece of work repeatedly, each run after the end of the previous one. */
export interface Repeater {
  isOn (): boolean
  /** @param ms until the first run */
  start (ms?: number): void
  /** Runs the work now rather than when due. Does nothing while the repeater is off. */
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
      // The repeater may have been stopped or hurried during the run.
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

/** Varies the period, since gateways with equal periods would all ask at once. */
export const jittered = (ms: number): number => ms * (0.9 + Math.random() * 0.2)
