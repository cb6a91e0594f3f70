import { createFixture } from './fixture.js'
import { createFaults } from './faults.js'
import { BrokenRule, NotChecked } from './result.js'
import { waitFor } from './wait.js'
import type { Step, Rule } from './rule.js'
import type { Environment } from './fixture.js'
import type { Plan, Fault } from './faults.js'
import type { RuleReport } from '../../../types/testing.js'

/** Most rules that are checked at once without a fault: a node need not withstand a rush. */
const LANES = 6
const TRIES = 3

type Result = Pick<RuleReport, 'outcome' | 'detail'>

const calm: Fault = { begin: async () => performance.now(), end: async () => {} }

/**
 * @returns nothing if the node is not registered
 * @throws errors of the store or of the caller's functions
 */
export async function runStep (
  environment: Environment, { plan, isBasic }: Step, rules: readonly Rule[]
): Promise<RuleReport[]> {
  await environment.store.skipSettling()
  if (isBasic !== true && !await hasRecovered(environment)) return []
  if (plan !== undefined) return await runTogether(environment, plan(environment), rules)
  const waiting = [...rules.entries()]
  const reports: RuleReport[] = []
  await allThrough(Array.from({ length: LANES }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, rule] = next
      reports[at] = await report(environment, rule, async () => await checkUndisturbed(environment, rule))
    }
  }))
  return reports
}

/** Waits until the node has recovered from the previous fault. */
async function hasRecovered ({ settings, store, rival }: Environment): Promise<boolean> {
  return await waitFor(async () =>
    (await store.registration(settings.nodeId))?.isAlive === true && rival.valid(), settings.recoverMs) === true
}

async function runTogether (environment: Environment, plan: Plan, rules: readonly Rule[]): Promise<RuleReport[]> {
  const faults = createFaults(rules.length, plan)
  try {
    return await allThrough(rules.map(async (rule) => {
      const fault = faults.join()
      return await report(environment, rule, async () => await checkRule(environment, rule, fault).finally(fault.leave))
    }))
  } finally {
    await faults.stop()
  }
}

/** Checks a rule again if the node lost its lease on a busy machine, which proves no fault. */
async function checkUndisturbed (environment: Environment, rule: Rule): Promise<Result> {
  for (let left = TRIES; ; left--) {
    const before = await stateOf(environment)
    const result = await checkRule(environment, rule, calm)
    if (result.outcome === 'kept' || left === 1 || await stateOf(environment) === before) return result
    if (!await hasRecovered(environment)) return result
  }
}

async function stateOf ({ settings, store, rival }: Environment): Promise<string> {
  const present = await store.registration(settings.nodeId)
  return [present?.incarnation, present?.isAlive, rival.incarnation, rival.valid(), await store.epoch()].join()
}

async function checkRule (environment: Environment, rule: Rule, fault: Fault): Promise<Result> {
  const fixture = createFixture(environment)
  try {
    await rule.check(fixture, fault)
    return { outcome: 'kept' }
  } catch (error) {
    if (error instanceof BrokenRule) return { outcome: 'broken', detail: error.message }
    if (error instanceof NotChecked) return { outcome: 'not checked', detail: error.message }
    throw error
  } finally {
    fixture.clear()
  }
}

async function report (
  { settings }: Environment, { id, rule }: Rule, checked: () => Promise<Result>
): Promise<RuleReport> {
  const result = await checked()
  settings.log([result.outcome, id, result.detail].flatMap((part) => part ?? []).join(': '))
  return { id, rule, ...result }
}

/** Waits for all of the work, so that no part goes on in the background. */
async function allThrough<T> (works: Array<Promise<T>>): Promise<T[]> {
  await Promise.allSettled(works)
  return await Promise.all(works)
}
