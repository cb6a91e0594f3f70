import fc from '../../support/fast-check.js'
import { SEED } from '../../support/seed.js'
import { reportPlan } from './found-plan.js'
import { realFixture } from './real-fixture.js'
import { planOf, run } from './run.js'
import type { Test } from 'tap'

/** Runs random commands on several real Redis servers at once, in real time. */
export async function liveWorlds (t: Test, seed: number, worlds: number, commandsOfEach: number): Promise<void> {
  t.comment(`TEST_SEED=${SEED}`)
  t.jobs = worlds
  const plans = fc.sample(planOf(3, 'redis'), { seed, numRuns: worlds })
  await Promise.all(plans.map(async ({ commands, ...size }, at) => await t.test(`world ${at}`, async (t) => {
    const plan = { ...size, commands: commands.slice(0, commandsOfEach) }
    const outcome = await run(plan, { fixture: await realFixture(t) })
    t.comment(`${outcome.commands} commands, together ${outcome.meetingSeconds} s after the last fault`)
    if (outcome.broken.length > 0) throw new Error(reportPlan(plan, outcome.broken.join('; ')))
  })))
}
