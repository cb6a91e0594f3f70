import { setTimeout as sleep } from 'node:timers/promises'

type Truthy<T> = Exclude<T, false | null | undefined | '' | 0>

/** Waits until `check` gives something truthy: generous, since machines are noisy. */
export async function until<T> (
  check: () => T | Promise<T>, what = 'what was waited for', ms = 20_000
): Promise<Truthy<T>> {
  const endsAt = performance.now() + ms
  for (;;) {
    const found = await check()
    if (found) return found as Truthy<T> // TypeScript does not narrow a T.
    if (performance.now() > endsAt) throw new Error(`${what} did not happen within ${ms} ms`)
    await sleep(10)
  }
}
