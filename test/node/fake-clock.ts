import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../lib/common/clock.js'

export interface FakeClock extends Clock {
  /** Lets time pass, alarm by alarm, and everything that follows from each happen. */
  pass (ms: number): Promise<void>
  /** Alarms that are set. */
  alarms (): number
}

/** Time that stands still unless a test lets it pass. */
export function createFakeClock (startsAt = 1_700_000_000_000): FakeClock {
  const alarms = new Set<{ at: number, ring: () => void }>()
  let elapsed = 0

  return {
    monotonic: () => elapsed,
    wall: () => startsAt + elapsed,
    after (ms, ring) {
      const alarm = { at: elapsed + Math.max(0, ms), ring }
      alarms.add(alarm)
      return () => alarms.delete(alarm)
    },
    alarms: () => alarms.size,
    async pass (ms) {
      const end = elapsed + ms
      for (;;) {
        await turn()
        const [next] = [...alarms].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        elapsed = next.at
        alarms.delete(next)
        next.ring()
      }
      elapsed = end
    }
  }
}
