import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Lets time pass if no condition is observable: an expiry, or the absence of an event. Use `until` or `eventually` for
 * observable conditions.
 *
 * @param why event that happens, or would have happened, in that time
 */
export async function elapse (ms: number, why: string): Promise<void> {
  if (why === '') throw new TypeError('a fixed wait needs a reason')
  await sleep(ms)
}
