import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { NodesFullError, NoLiveNodeError } from '../../errors.js'
import { show } from './broken.js'

const PAUSE_MS = 10

/** Ways of a sentence to wait for an adapter. */
export interface Pace {
  /** Waits until `check` gives `true`; any other value is shown if time runs out. */
  until (what: string, check: () => unknown): Promise<void>
  /** Asks again after a failure, as a caller should, unless the error is an answer. A call that hangs fails. */
  patiently<T> (ask: () => Promise<T>): Promise<T>
  /** Asks once. A call that hangs fails. */
  inTime<T> (ask: () => Promise<T>): Promise<T>
  /** Expects a rejection, and returns the error. */
  rejection (ask: () => Promise<unknown>): Promise<unknown>
}

export function createPace (ms: number): Pace {
  async function inTime<T> (ask: () => Promise<T>): Promise<T> {
    const controller = new AbortController()
    // Unlike that of a gateway, this timer keeps the process alive: the runner has to hear of the failure.
    const limit = sleep(ms, undefined, { signal: controller.signal })
      .then(() => assert.fail(`no answer within ${ms} ms`))
    return await Promise.race([ask(), limit]).finally(() => controller.abort())
  }

  return {
    inTime,
    async until (what, check) {
      const endsAt = performance.now() + ms
      for (;;) {
        // Read the clock before the check, which may itself be late.
        const isLast = performance.now() >= endsAt
        const seen = await inTime(async () => await check())
        if (seen === true) return
        if (isLast) assert.fail(`${show(seen)} after waiting ${ms} ms until ${what}`)
        await sleep(PAUSE_MS)
      }
    },
    async patiently (ask) {
      const endsAt = performance.now() + ms
      for (;;) {
        try {
          return await inTime(ask)
        } catch (error) {
          if (isAnswer(error) || performance.now() >= endsAt) throw error
          await sleep(PAUSE_MS)
        }
      }
    },
    async rejection (ask) {
      const result = await inTime(async () => await ask().then((value) => ({ value }), (error: unknown) => ({ error })))
      return 'error' in result ? result.error : assert.fail(`resolved to ${show(result.value)}, expected a rejection`)
    }
  }
}

/** Whether the error is an answer, which a busy machine does not cause. */
const isAnswer = (error: unknown) =>
  [NoLiveNodeError, NodesFullError, TypeError].some((Kind) => error instanceof Kind)

/** Waits for a time whose end cannot be observed. */
export const elapse = async (ms: number) => { await sleep(ms) }
