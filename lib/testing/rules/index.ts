import { admission } from '../conformance/rules/admission.js'
import { cut, cutOff } from '../conformance/rules/cut.js'
import { displace, displaced } from '../conformance/rules/displaced.js'
import { endedCalls } from '../conformance/rules/ended-calls.js'
import { epoch, forgetAll } from '../conformance/rules/epoch.js'
import { dropLease, lapse } from '../conformance/rules/lapse.js'
import { leaving, stopAndStart } from '../conformance/rules/leaving.js'
import { basics, registration } from '../conformance/rules/registration.js'
import { resets } from '../conformance/rules/resets.js'
import { rooms } from '../conformance/rules/rooms.js'
import { signatures } from '../conformance/rules/signatures.js'
import type { Act } from '../conformance/rule.js'

/** The whole check, in this order: from the harmless to what the node does not come back from. */
export const ACTS: readonly Act[] = [
  { rules: basics, isBasic: true },
  { rules: [...registration, ...signatures, ...admission, ...rooms, ...endedCalls] },
  { rules: resets },
  { rules: lapse, plan: dropLease },
  { rules: epoch, plan: forgetAll },
  { rules: cut, plan: cutOff, needs: ['cut', 'heal'] },
  { rules: leaving, plan: stopAndStart, needs: ['stop', 'start'] },
  { rules: displaced, plan: displace }
]
