import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { SEED } from '../../support/seed.js'
import { seededRandom } from '../../support/seeded-random.js'
import { MUTATIONS } from './mutations.mjs'
import { tryOut } from './try-out.js'

// Breaks one rule after the other, in a copy of the project: each must turn a test red. One of them alone:
//
//   npx tap --timeout=0 --grep='no linger' test/proofs/mutations/mutations.long.test.ts
t.setTimeout(0)
t.jobs = 2

const random = seededRandom(SEED)
// A short run does not reach all entries, so each seed tries others first.
const left = MUTATIONS.map((mutation) => ({ mutation, at: random() })).sort((a, b) => a.at - b.at)
const endsAt = performance.now() + SECONDS * 1000

async function breakOneAfterTheOther (): Promise<void> {
  for (let next = left.pop(); next !== undefined; next = performance.now() > endsAt ? undefined : left.pop()) {
    const { mutation } = next
    await t.test(mutation.name, async (t) => {
      const red = await tryOut(mutation)
      t.comment(red ?? `${mutation.tests.join(' ')}: all green`)
      t.ok(red !== undefined, 'a test turns red')
    })
  }
}

t.comment(`TEST_SEED=${SEED}`)
await Promise.all([breakOneAfterTheOther(), breakOneAfterTheOther()])
t.comment(`${MUTATIONS.length - left.length} of ${MUTATIONS.length} breakages tried`)
