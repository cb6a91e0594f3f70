import { admission } from './admission.js'
import { cut, cutOff } from './cut.js'
import { displace, displaced } from './displaced.js'
import { dropConnection, dropped } from './dropped.js'
import { endedCalls } from './ended-calls.js'
import { epoch, forgetAll } from './epoch.js'
import { forgetNode, forgotten } from './forgotten.js'
import { dropLease, lapse } from './lapse.js'
import { leaving, stopAndStart } from './leaving.js'
import { manyEnds } from './many-ends.js'
import { moved } from './moved.js'
import { giveOrder, orders } from './orders.js'
import { races } from './races.js'
import { basics, registration } from './registration.js'
import { afterResets, resets } from './resets.js'
import { revive } from './revive.js'
import { rooms } from './rooms.js'
import { scripts } from './scripts.js'
import { signatures } from './signatures.js'
import { turns } from './turns.js'
import { used } from './used.js'
import { dropLeaseAndSettle, yielding } from './yield.js'
import type { Rule, Step } from '../rule.js'
import type { StoreName } from '../store.js'

/** All rules, in the order of the check: from harmless faults to those that the node does not recover from. */
export const STEPS: readonly Step[] = [
  { rules: basics, isBasic: true },
  { rules: [...registration, ...signatures, ...admission, ...used, ...rooms, ...turns, ...endedCalls, ...moved] },
  { rules: resets },
  { rules: [...afterResets, ...manyEnds] },
  { rules: races },
  { rules: orders, plan: giveOrder },
  { rules: lapse, plan: dropLease },
  { rules: forgotten, plan: forgetNode },
  { rules: yielding, plan: dropLeaseAndSettle },
  { rules: epoch, plan: forgetAll },
  { rules: dropped, plan: dropConnection, needs: ['cut', 'heal', 'drop'] },
  { rules: cut, plan: cutOff, needs: ['cut', 'heal'] },
  { rules: revive, plan: cutOff, needs: ['cut', 'heal'] },
  { rules: leaving, plan: stopAndStart, needs: ['stop', 'start'] },
  { rules: scripts },
  { rules: displaced, plan: displace }
]

/** The rules for one store. */
export function stepsFor (store: StoreName): Step[] {
  const isFor = (rule: Rule) => rule.store === undefined || rule.store === store
  return STEPS.map((step) => ({ ...step, rules: step.rules.filter(isFor) })).filter(({ rules }) => rules.length > 0)
}
