import { createFixture } from './fixture.js'
import { createFaults } from './faults.js'
import { RegistryUnavailableError } from '../../errors.js'
import { BrokenRule, NotChecked, StoreUnavailable } from './result.js'
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

export interface Played {
  reports: RuleReport[]
  /** The reason why no rule can be checked. */
  obstacle: string | undefined
}

/** @throws errors of the caller's functions */
export async function runStep (environment: Environment, step: Step, rules: readonly Rule[]): Promise<Played> {
  const obstacle = await orUnavailable(environment, async () => await prepare(environment, step))
  if (obstacle !== undefined) return { reports: [], obstacle }
  const reports = step.plan === undefined
    ? await runInLanes(environment, rules)
    : await runTogether(environment, step.plan(environment), rules)
  return { reports, obstacle }
}

/** @returns the reason why the store cannot be asked, or the result of `work` */
async function orUnavailable<T> ({ store }: Environment, work: () => Promise<T>): Promise<T | string> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreUnavailable) return error.message
    if (error instanceof RegistryUnavailableError) return new StoreUnavailable(store.name, error).message
    throw error
  }
}

async function prepare (environment: Environment, { isBasic }: Step): Promise<string | undefined> {
  await environment.store.skipSettling()
  return isBasic === true ? undefined : await findObstacle(environment)
}

/** Waits until the node has recovered from the previous fault. @returns the reason if it has not */
async function findObstacle ({ settings, store, rival }: Environment): Promise<string | undefined> {
  const isRegistered = async () => (await store.registration(settings.nodeId))?.isAlive === true
  if (await waitFor(isRegistered, settings.recoverMs) !== true) return 'the node is not registered any more'
  if (await waitFor(rival.valid, settings.recoverMs) !== true) return 'the runner lost the lease of its own node'
  return undefined
}

async function runInLanes (environment: Environment, rules: readonly Rule[]): Promise<RuleReport[]> {
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

async function runTogether (environment: Environment, plan: Plan, rules: readonly Rule[]): Promise<RuleReport[]> {
  const faults = createFaults(rules.length, plan)
  try {
    return await allThrough(rules.map(async (rule) => {
      const fault = faults.join()
      return await report(environment, rule, async () => await checkRule(environment, rule, fault).finally(fault.leave))
    }))
  } finally {
    await orUnavailable(environment, faults.stop)
  }
}

/** Checks a rule again if the node lost its lease on a busy machine, which proves no fault. */
async function checkUndisturbed (environment: Environment, rule: Rule): Promise<Result> {
  for (let left = TRIES; ; left--) {
    const before = await stateOf(environment)
    const result = await checkRule(environment, rule, calm)
    if (result.outcome === 'kept' || left === 1 || await stateOf(environment) === before) return result
    if (await findObstacle(environment) !== undefined) return result
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
    if (error instanceof NotChecked) return { outcome: 'not checked', detail: error.message }
    if (!(error instanceof BrokenRule)) throw error
    // Without its store a good node breaks many rules.
    await environment.store.now()
    return { outcome: 'broken', detail: error.message }
  } finally {
    fixture.clear()
  }
}

async function report (
  environment: Environment, { id, rule }: Rule, checked: () => Promise<Result>
): Promise<RuleReport> {
  const { settings } = environment
  const answer = await orUnavailable(environment, checked)
  const result: Result = typeof answer === 'string' ? { outcome: 'not checked', detail: answer } : answer
  settings.log([result.outcome, id, result.detail].flatMap((part) => part ?? []).join(': '))
  return { id, rule, ...result }
}

/** Waits for all of the work, so that no part goes on in the background. */
async function allThrough<T> (works: Array<Promise<T>>): Promise<T[]> {
  await Promise.allSettled(works)
  return await Promise.all(works)
}
