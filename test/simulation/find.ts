import fc from 'fast-check'
import { planOf, run } from './run.js'
import { writeFileSync } from 'node:fs'
for (let seed = 701; seed < 1400; seed += 50) {
  const out = await fc.check(fc.asyncProperty(planOf(2), async (plan: any) => { const o = await run(plan); if (o.broken.length) throw new Error(o.broken.join('; ')) }), { seed, numRuns: 50 })
  if (out.failed) { writeFileSync('/tmp/plan.json', JSON.stringify(out.counterexample![0], (_k, v) => v === undefined ? null : v)); console.log(seed, out.counterexample![0].commands.map((c: any) => `${c.name} ${c.at} ${c.how}`).join(' | '), String(out.errorInstance)); break }
  console.log(seed, 'ok')
}
