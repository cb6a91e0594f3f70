import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../lib/common/clock.js'

export interface FakeClock extends Clock {
  /** Advances the time, timer by timer, and lets all consequences of each happen. */
  pass (ms: number): Promise<void>
  /** Number of pending timers. */
  alarms (): number
}

/** Creates a clock that stands still unless a test advances it. */
export function createFakeClock (startsAt = 1_700_000_000_000): FakeClock {
  const alarms = new Set<{ at: number, fire: () => void }>()
  let elapsed = 0

  return {
    monotonic: () => elapsed,
    wall: () => startsAt + elapsed,
    after (ms, fire) {
      const alarm = { at: elapsed + Math.max(0, ms), fire }
      alarms.add(alarm)
      return () => alarms.delete(alarm)
    },
    alarm (ms, target) {
      return { due: this.monotonic() + ms, cancel: this.after(ms, () => target.fire(false)) }
    },
    endOfTurn: (action) => { setImmediate(action) },
    alarms: () => alarms.size,
    async pass (ms) {
      const end = elapsed + ms
      for (;;) {
        await turn()
        const [next] = [...alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        elapsed = next.at
        alarms.delete(next)
        next.fire()
      }
      elapsed = end
    }
  }
}
