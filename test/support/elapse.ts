import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Lets time pass where nothing shows the end of it: an expiry, or the absence of an event. Anything that can be seen is
 * waited for with `until` or `eventually`.
 *
 * @param why what is over, or would have happened, by then
 */
export async function elapse (ms: number, why: string): Promise<void> {
  if (why === '') throw new TypeError('a fixed wait needs a reason')
  await sleep(ms)
}
