import { collectFailures } from './collect.js'
import type { Test } from 'tap'
import type { ContractTest } from '../../../types/contracts.js'

export interface Breakage<Adapter> {
  /** Methods in place of those of an adapter that keeps the contract. */
  breakIt (adapter: Adapter): Partial<Adapter>
  /** Sentences that have to fail, and no other. */
  broken: string[]
  /** What the first of them says that there was instead. */
  instead?: RegExp
  /** Milliseconds; short if a sentence fails by waiting. */
  patience?: number
}

/** Sentences about hundreds of rooms or nodes, checked only where they are kept by all or broken on purpose. */
const COSTLY = /– many (calls|new rooms|are listed)/

interface Contract<Adapter> {
  run (options: { test: ContractTest, patience: number }, breakIt: Breakage<Adapter>['breakIt']): Promise<void>
  breakages: Record<string, Breakage<Adapter>>
}

/** Tests that a contract fails with the sentence that an adapter breaks, and with no other. */
export function testBreakages<Adapter> (t: Test, { run, breakages }: Contract<Adapter>): void {
  t.jobs = 8
  t.test('an adapter that keeps the contract – fails nothing', async (t) => {
    t.strictSame([...await collectFailures(async (test) => await run({ test, patience: 20_000 }, () => ({})))], [])
  })
  for (const [name, { breakIt, broken, instead = /./, patience = 20_000 }] of Object.entries(breakages)) {
    t.test(`an adapter that ${name} – fails with the sentences that it breaks`, async (t) => {
      const isWanted = (sentence: string) => !COSTLY.test(sentence) || broken.includes(sentence)
      const failures = await collectFailures(async (test) => await run({ test, patience }, breakIt), isWanted)
      t.strictSame([...failures.keys()].sort(), [...broken].sort())
      for (const [sentence, message] of failures) t.ok(message.startsWith(`${sentence}\ninstead: `), message)
      t.match(failures.get(broken[0] ?? ''), instead)
    })
  }
}
