import { systemClock } from '../common/clock.js'
import { DeadlineError, withDeadline } from '../common/deadline.js'
import type { Clock } from '../common/clock.js'

export interface Limit<T> {
  clock: Clock
  ms: number
  /** What comes of the work after its time is over. */
  onLate? (value: T): void
}

/**
 * Settles in time, whether the work does or not.
 *
 * @throws `DeadlineError` when time ran out, else what the work throws
 */
export async function within<T> (
  { clock, ms, onLate }: Limit<T>, work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  let working: Promise<T> | undefined
  // An alarm without a clock lets an answer in that came while our own loop stood still.
  const alarmClock = clock === systemClock ? undefined : clock
  try {
    return await withDeadline(ms, async (signal) => {
      working = work(signal)
      return await working
    }, undefined, alarmClock)
  } catch (error) {
    if (error instanceof DeadlineError) working?.then(onLate, () => {})
    throw error
  }
}
