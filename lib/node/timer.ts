import type { Clock } from '../common/clock.js'

export interface Alarm {
  /** Does nothing while it runs already. */
  start (): void
  stop (): void
}

export function createAlarm (clock: Clock, ms: number, ring: () => void): Alarm {
  let cancel: (() => void) | undefined
  return {
    start () {
      cancel ??= clock.after(ms, () => {
        cancel = undefined
        ring()
      })
    },
    stop () {
      cancel?.()
      cancel = undefined
    }
  }
}
