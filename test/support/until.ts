import { setTimeout as sleep } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'

/** Generous, since machines are noisy. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 10

type Truthy<T> = Exclude<T, false | null | undefined | '' | 0>

/**
 * Waits until `check` returns a truthy value. An error of `check` ends the wait.
 *
 * @param what description for the error message, by default the source of `check`
 */
export async function until<T> (
  check: () => T | Promise<T>, what = sourceOf(check), ms = PATIENCE_MS
): Promise<Truthy<T>> {
  const seen = await poll(async () => ({ value: await check() }), ({ value }) => Boolean(value), ms)
  if (seen?.value) return seen.value as Truthy<T> // TypeScript does not narrow a T.
  throw new Error(`waited ${ms} ms for: ${what}\ninstead there was: ${show(seen)}`)
}

/**
 * Waits until `read` returns the expected value: a deeply equal one, or a text that the expression matches. An error of
 * `read` counts as a missing value, as while a page loads.
 *
 * @param what description for the error message, by default the source of `read`
 */
export async function eventually<T> (
  read: () => T | Promise<T>, expected: T | RegExp, what = sourceOf(read), ms = PATIENCE_MS
): Promise<void> {
  const readOnce = async () => ({ value: await Promise.resolve().then(read).catch((error: unknown) => error) })
  const isExpected = (value: unknown) => expected instanceof RegExp
    ? typeof value === 'string' && expected.test(value)
    : isDeepStrictEqual(value, expected)
  const seen = await poll(readOnce, ({ value }) => isExpected(value), ms)
  if (seen !== undefined && isExpected(seen.value)) return
  throw new Error(`waited ${ms} ms for: ${what}, to be ${inspect(expected)}\ninstead there was: ${show(seen)}`)
}

/** @returns the last value, undefined if none came in time */
async function poll<T> (read: () => Promise<T>, isEnough: (value: T) => boolean, ms: number): Promise<T | undefined> {
  const endsAt = performance.now() + ms
  let last: T | undefined
  while (performance.now() < endsAt) {
    const over = new AbortController()
    // A read that hangs must not extend the wait.
    const limit = sleep(endsAt - performance.now(), undefined, over).catch(() => undefined)
    const value = await Promise.race([read(), limit]).finally(() => over.abort())
    last = value ?? last
    if (value === undefined || isEnough(value)) return last
    await sleep(PAUSE_MS)
  }
  return last
}

const show = (seen: { value: unknown } | undefined) => seen === undefined ? 'no answer at all' : inspect(seen.value)
const sourceOf = (check: () => unknown) => check.toString().replace(/^(async )?\(\) => /, '').replace(/\s+/g, ' ')
