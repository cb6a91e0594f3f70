import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newFolderOf } from '../../support/long.js'
import type { Plan } from './run.js'

/** Folder of plans that once broke an invariant. `npm test` replays them all. */
export const PLANS = new URL('plans/', import.meta.url)

/** Writes a failed plan, and tells how to turn it into a test. */
export function reportPlan (plan: Plan, broken: unknown): string {
  const json = JSON.stringify(plan)
  const file = join(newFolderOf('simulation'), 'plan.json')
  writeFileSync(file, `${json}\n`)
  return `${broken instanceof Error ? broken.message : String(broken)}
The plan is in ${file}. Put it into
test/proofs/simulation/plans under a name that says what happens, and npm test replays it:
${json}`
}
