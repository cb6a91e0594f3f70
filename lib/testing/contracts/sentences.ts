import { toBroken } from './broken.js'
import type { ContractTest } from '../../../types/contracts.js'

/** Sentences of a contract, "subject – condition – result", each with the check that it holds. */
export type Sentences<Fixture> = Readonly<Record<string, (fixture: Fixture) => Promise<void>>>

/** Adapters and helpers of one sentence. */
export interface Prepared<Fixture> {
  fixture: Fixture
  close (): Promise<void>
}

/**
 * Registers each sentence as a test, with a fixture of its own.
 *
 * @returns once the runner has finished the tests, if it reports that: a test inside another one must be awaited
 */
export async function registerSentences<Fixture> (
  test: ContractTest, sentences: Sentences<Fixture>, prepare: () => Promise<Prepared<Fixture>>
): Promise<void> {
  const registered = Object.entries(sentences).map(([sentence, check]) => test(sentence, async () => {
    const { fixture, close } = await prepare()
    try {
      await check(fixture)
    } catch (cause) {
      // A failed close is less informative than the broken sentence.
      await close().catch(() => {})
      throw toBroken(sentence, cause)
    }
    await close()
  }))
  await Promise.allSettled(registered)
}
