import { createStage } from './stage.js'
import { createTroubles } from './trouble.js'
import { BrokenRule, NotJudged } from './verdict.js'
import { waitFor } from './wait.js'
import type { Act, Rule } from './rule.js'
import type { Scene } from './stage.js'
import type { Plan, Trouble } from './trouble.js'
import type { RuleReport } from '../../../types/testing.js'

/** Most rules that are checked at once without a fault: a node need not withstand a rush. */
const LANES = 6
const TRIES = 3

type Verdict = Pick<RuleReport, 'outcome' | 'detail'>

const calm: Trouble = { begin: async () => performance.now(), end: async () => {} }

/**
 * @returns nothing if the node is not registered
 * @throws errors of the store or of the caller's functions
 */
export async function runAct (scene: Scene, { plan, isBasic }: Act, rules: readonly Rule[]): Promise<RuleReport[]> {
  await scene.store.skipSettling()
  if (isBasic !== true && !await hasRecovered(scene)) return []
  if (plan !== undefined) return await runTogether(scene, plan(scene), rules)
  const waiting = [...rules.entries()]
  const reports: RuleReport[] = []
  await allThrough(Array.from({ length: LANES }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, rule] = next
      reports[at] = await report(scene, rule, async () => await judgeInPeace(scene, rule))
    }
  }))
  return reports
}

/** Waits until the node has recovered from the previous fault. */
async function hasRecovered ({ settings, store, rival }: Scene): Promise<boolean> {
  return await waitFor(async () =>
    (await store.registration(settings.nodeId))?.isAlive === true && rival.valid(), settings.recoverMs) === true
}

async function runTogether (scene: Scene, plan: Plan, rules: readonly Rule[]): Promise<RuleReport[]> {
  const troubles = createTroubles(rules.length, plan)
  try {
    return await allThrough(rules.map(async (rule) => {
      const trouble = troubles.join()
      return await report(scene, rule, async () => await judge(scene, rule, trouble).finally(trouble.leave))
    }))
  } finally {
    await troubles.stop()
  }
}

/** Checks a rule again if the node lost its lease on a busy machine, which proves no fault. */
async function judgeInPeace (scene: Scene, rule: Rule): Promise<Verdict> {
  for (let left = TRIES; ; left--) {
    const before = await stateOf(scene)
    const verdict = await judge(scene, rule, calm)
    if (verdict.outcome === 'kept' || left === 1 || await stateOf(scene) === before) return verdict
    if (!await hasRecovered(scene)) return verdict
  }
}

async function stateOf ({ settings, store, rival }: Scene): Promise<string> {
  const present = await store.registration(settings.nodeId)
  return [present?.incarnation, present?.isAlive, rival.incarnation, rival.valid(), await store.epoch()].join()
}

async function judge (scene: Scene, rule: Rule, trouble: Trouble): Promise<Verdict> {
  const stage = createStage(scene)
  try {
    await rule.check(stage, trouble)
    return { outcome: 'kept' }
  } catch (error) {
    if (error instanceof BrokenRule) return { outcome: 'broken', detail: error.message }
    if (error instanceof NotJudged) return { outcome: 'not checked', detail: error.message }
    throw error
  } finally {
    stage.clear()
  }
}

async function report ({ settings }: Scene, { id, rule }: Rule, judged: () => Promise<Verdict>): Promise<RuleReport> {
  const verdict = await judged()
  settings.log([verdict.outcome, id, verdict.detail].flatMap((part) => part ?? []).join(': '))
  return { id, rule, ...verdict }
}

/** Waits for all of the work, so that no part goes on in the background. */
async function allThrough<T> (works: Array<Promise<T>>): Promise<T[]> {
  await Promise.allSettled(works)
  return await Promise.all(works)
}
