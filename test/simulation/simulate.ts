import fc from 'fast-check'
import { planOf, run } from './run.js'
import type { Test } from 'tap'
import type { StoreName } from './run.js'

const SEED = Number(process.env.SIMULATION_SEED ?? Date.now() % 2 ** 31)
const RUNS = 50
/** A room in ZooKeeper costs several messages, and most runs of them are of other commands. */
const DEFAULT_COMMANDS = { redis: 100_000, zookeeper: 20_000 }

/** Lives through so many random commands, and fails with the shortest list of them that breaks an invariant. */
export async function simulate (t: Test, nodes: number, store: StoreName = 'redis'): Promise<void> {
  const least = Number(process.env.SIMULATION_COMMANDS ?? DEFAULT_COMMANDS[store])
  const plan = planOf(nodes, store)
  const startedAt = performance.now()
  let commands = 0
  let longest = 0
  let runs = 0
  // Said before, too: a run that hangs has to be found again.
  t.comment(`at least ${least} commands, from SIMULATION_SEED=${SEED} on`)
  for (; commands < least; runs += RUNS) {
    await fc.assert(fc.asyncProperty(plan, async (plan) => {
      const outcome = await run(plan)
      commands += outcome.commands
      longest = Math.max(longest, outcome.meetingSeconds ?? 0)
      if (outcome.broken.length > 0) throw new Error(outcome.broken.join('; '))
    }), { seed: SEED + runs, numRuns: RUNS, endOnFailure: process.env.SIMULATION_SHRINKS === 'no' })
  }
  t.comment(`${commands} commands in ${runs} runs, ${Math.round((performance.now() - startedAt) / 1000)} s, ` +
    `all together ${longest} s after the last fault`)
  t.ok(commands >= least)
}
