import type { Clock } from '../common/clock.js'

export interface Timer {
  /** Does nothing if the timer is running. */
  start (): void
  stop (): void
}

export function createTimer (clock: Clock, ms: number, fire: () => void): Timer {
  let cancel: (() => void) | undefined
  return {
    start () {
      cancel ??= clock.after(ms, () => {
        cancel = undefined
        fire()
      })
    },
    stop () {
      cancel?.()
      cancel = undefined
    }
  }
}
