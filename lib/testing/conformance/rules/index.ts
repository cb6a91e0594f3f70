import { admission } from './admission.js'
import { cut, cutOff } from './cut.js'
import { displace, displaced } from './displaced.js'
import { endedCalls } from './ended-calls.js'
import { epoch, forgetAll } from './epoch.js'
import { dropLease, lapse } from './lapse.js'
import { leaving, stopAndStart } from './leaving.js'
import { basics, registration } from './registration.js'
import { resets } from './resets.js'
import { rooms } from './rooms.js'
import { signatures } from './signatures.js'
import type { Step } from '../rule.js'

/** All rules, in the order of the check: from harmless faults to those that the node does not recover from. */
export const STEPS: readonly Step[] = [
  { rules: basics, isBasic: true },
  { rules: [...registration, ...signatures, ...admission, ...rooms, ...endedCalls] },
  { rules: resets },
  { rules: lapse, plan: dropLease },
  { rules: epoch, plan: forgetAll },
  { rules: cut, plan: cutOff, needs: ['cut', 'heal'] },
  { rules: leaving, plan: stopAndStart, needs: ['stop', 'start'] },
  { rules: displaced, plan: displace }
]
