import fc from 'fast-check'
import t from 'tap'
import { withoutRedis } from '../support/redis-server.js'
import { realStage } from './real-stage.js'
import { planOf, run } from './run.js'

const WORLDS = Number(process.env.SIMULATION_WORLDS ?? 8)
const SEED = Number(process.env.SIMULATION_SEED ?? Date.now() % 2 ** 31)

t.test('the same holds on real Redis', { skip: withoutRedis, timeout: 280_000 }, async (t) => {
  t.comment(`SIMULATION_SEED=${SEED}`)
  t.jobs = 8
  for (const [at, { commands, ...size }] of fc.sample(planOf(3, 'redis'), { seed: SEED, numRuns: WORLDS }).entries()) {
    t.test(`world ${at}`, async (t) => {
      const plan = { ...size, commands: commands.slice(0, 80) }
      const outcome = await run(plan, { stage: await realStage(t) })
      t.comment(`${outcome.commands} commands, together ${outcome.meetingSeconds} s after the last fault`)
      t.strictSame(outcome.broken, [], `plan: ${JSON.stringify(plan)}`)
    })
  }
})
