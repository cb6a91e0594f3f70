import { BrokenRule } from './verdict.js'
import type { Scene, Stage } from './stage.js'
import type { Plan, Trouble } from './trouble.js'
import type { CheckNodeOptions } from '../../../types/testing.js'

/** One sentence of the contract. */
export interface Rule {
  id: string
  /** Begins with a verb: what the node does. */
  rule: string
  /** @throws BrokenRule when the node does not, NotJudged when that cannot be said */
  check (stage: Stage, trouble: Trouble): Promise<void>
}

/** Rules that are checked side by side. */
export interface Act {
  rules: readonly Rule[]
  /** What happens to all of them. Left out: nothing. */
  plan?: (scene: Scene) => Plan
  /** Options without which it cannot be played. */
  needs?: ReadonlyArray<keyof CheckNodeOptions>
  /** Nothing else can be checked where one of these is not kept. */
  isBasic?: boolean
}

/** All of them are tried; what is broken is told together. */
export async function checkAll (checks: Array<Promise<void>>): Promise<void> {
  const broken = []
  for (const result of await Promise.allSettled(checks)) {
    if (result.status === 'fulfilled') continue
    if (!(result.reason instanceof BrokenRule)) throw result.reason
    broken.push(result.reason.message)
  }
  if (broken.length > 0) throw new BrokenRule([...new Set(broken)].join('; '))
}
