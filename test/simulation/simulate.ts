import fc from 'fast-check'
import { planOf, run } from './run.js'
import type { Test } from 'tap'

const COMMANDS = Number(process.env.SIMULATION_COMMANDS ?? 100_000)
const SEED = Number(process.env.SIMULATION_SEED ?? Date.now() % 2 ** 31)
const RUNS = 50

/** Lives through so many random commands, and fails with the shortest list of them that breaks an invariant. */
export async function simulate (t: Test, nodes: number): Promise<void> {
  const plan = planOf(nodes)
  const startedAt = performance.now()
  let commands = 0
  let longest = 0
  let runs = 0
  // Said before, too: a run that hangs has to be found again.
  t.comment(`at least ${COMMANDS} commands, from SIMULATION_SEED=${SEED} on`)
  for (; commands < COMMANDS; runs += RUNS) {
    await fc.assert(fc.asyncProperty(plan, async (plan) => {
      const outcome = await run(plan)
      commands += outcome.commands
      longest = Math.max(longest, outcome.meetingSeconds ?? 0)
      if (outcome.broken.length > 0) throw new Error(outcome.broken.join('; '))
    }), { seed: SEED + runs, numRuns: RUNS, endOnFailure: process.env.SIMULATION_SHRINKS === 'no' })
  }
  t.comment(`${commands} commands in ${runs} runs, ${Math.round((performance.now() - startedAt) / 1000)} s, ` +
    `all together ${longest} s after the last fault`)
  t.ok(commands >= COMMANDS)
}
