import { setTimeout as sleep } from 'node:timers/promises'

type Found<T> = Exclude<T, false | null | undefined>

/** Asks repeatedly until there is an answer, at least twice. @returns `undefined` if time ran out */
export async function waitFor<T> (
  ask: () => T | Promise<T>, ms: number, everyMs = 20
): Promise<Found<T> | undefined> {
  const endsAt = performance.now() + ms
  for (;;) {
    // Read the clock before the answer, which may itself be late.
    const isLast = performance.now() >= endsAt
    const found = await ask()
    // TypeScript does not narrow a T.
    if (found !== false && found !== null && found !== undefined) return found as Found<T>
    if (isLast) return undefined
    await sleep(everyMs)
  }
}

/** @param moment of `performance.now()` */
export async function sleepUntil (moment: number): Promise<void> {
  const ms = moment - performance.now()
  if (ms > 0) await sleep(ms)
}
