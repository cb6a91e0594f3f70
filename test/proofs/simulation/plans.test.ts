import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { PLANS } from './found-plan.js'
import { run } from './run.js'

for (const file of readdirSync(PLANS)) {
  t.test(`plan ${file} – replayed – breaks no invariant`, async (t) => {
    const { broken } = await run(JSON.parse(readFileSync(new URL(file, PLANS), 'utf8')))
    t.strictSame(broken, [])
  })
}
