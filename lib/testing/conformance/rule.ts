import { BrokenRule } from './result.js'
import type { Environment, Fixture } from './fixture.js'
import type { Plan, Fault } from './faults.js'
import type { StoreName } from './store.js'
import type { CheckNodeOptions } from '../../../types/testing.js'

/** One sentence of the contract. */
export interface Rule {
  id: string
  /** Behaviour of the node. Begins with a verb. */
  rule: string
  /** The store that the rule is for. Left out: any. */
  store?: StoreName
  /** @throws BrokenRule if the node breaks the rule, NotChecked if that cannot be decided */
  check (fixture: Fixture, fault: Fault): Promise<void>
}

/** Limits rules to one store. */
export const ofStore = (store: StoreName, rules: readonly Rule[]): readonly Rule[] =>
  rules.map((rule) => ({ ...rule, store }))

/** Rules that are checked in parallel. */
export interface Step {
  rules: readonly Rule[]
  /** Fault that is injected for all of the rules. Left out: none. */
  plan?: (environment: Environment) => Plan
  /** Required options. */
  needs?: ReadonlyArray<keyof CheckNodeOptions>
  /** Whether no other rule can be checked if one of these is broken. */
  isBasic?: boolean
}

/** Waits for all checks, and reports all broken ones together. */
export async function checkAll (checks: Array<Promise<void>>): Promise<void> {
  const broken = []
  for (const result of await Promise.allSettled(checks)) {
    if (result.status === 'fulfilled') continue
    if (!(result.reason instanceof BrokenRule)) throw result.reason
    broken.push(result.reason.message)
  }
  if (broken.length > 0) throw new BrokenRule([...new Set(broken)].join('; '))
}
