import fc from 'fast-check'
import t from 'tap'
import { plan, run } from './run.js'

const RUNS = Number(process.env.SIMULATION_RUNS ?? 300)
const SEED = Number(process.env.SIMULATION_SEED ?? Date.now() % 2 ** 31)

t.test('whatever happens, one room is on one node', { timeout: 0 }, async (t) => {
  let commands = 0
  let longest = 0
  const startedAt = performance.now()
  await fc.assert(fc.asyncProperty(plan, async (plan) => {
    const outcome = await run(plan)
    commands += outcome.commands
    longest = Math.max(longest, outcome.meetingSeconds ?? 0)
    if (outcome.broken.length > 0) throw new Error(outcome.broken.join('; '))
  }), { seed: SEED, numRuns: RUNS, endOnFailure: process.env.SIMULATION_QUICK !== undefined })
  t.comment(`${commands} commands in ${RUNS} runs, ${Math.round(performance.now() - startedAt)} ms, seed ${SEED}, ` +
    `together after ${longest} s at the latest`)
  t.pass()
})
