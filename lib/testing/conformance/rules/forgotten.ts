import { expect } from '../result.js'
import { returned } from './lapse.js'
import type { Rule } from '../rule.js'
import type { Environment } from '../fixture.js'
import type { Plan } from '../faults.js'

/** Lets the store forget the node, as it forgets one that was away for long. */
export function forgetNode ({ settings: { nodeId }, store }: Environment): Plan {
  return {
    async inject () {
      const present = await store.registration(nodeId)
      if (present !== null) await store.forgetId(present)
    }
  }
}

const registersAgain: Rule = {
  id: 'forgotten-registers',
  rule: 'registers again, in place of nobody, after the store forgot its id',
  async check (fixture, fault) {
    const before = await fixture.node()
    await fault.begin()
    const after = await fixture.successor(before, fixture.settings.beatMs)
    expect(after !== undefined, `it has not registered again within ${fixture.settings.beatMs} ms`)
  }
}

const isNew: Rule = {
  id: 'incarnation-new',
  rule: 'never registers under an incarnation that it had before',
  async check (fixture, fault) {
    const before = await fixture.node()
    const earlier = new Set(fixture.incarnations)
    await fault.begin()
    const { incarnation } = await returned(fixture, before)
    expect(!earlier.has(incarnation), `it had the incarnation ${incarnation} before`)
  }
}

export const forgotten: readonly Rule[] = [registersAgain, isNew]
