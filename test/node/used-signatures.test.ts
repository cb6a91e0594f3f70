import t from 'tap'
import { createUsedSignatures } from '../../lib/node/used-signatures.js'

t.test('each is used once, until it is refused anyway', async (t) => {
  const used = createUsedSignatures()
  t.equal(used.use('a', 20, 0), true)
  t.equal(used.use('a', 20, 19.9), false)
  t.equal(used.isUsed('a', 20), true)
  t.equal(used.isUsed('b', 20), false)
  t.equal(used.use('a', 25, 1), false, 'whatever end it says')
})

t.test('it forgets what ended, and only that', async (t) => {
  const used = createUsedSignatures()
  for (const [id, end] of [['long', 40], ['short', 20], ['middle', 30]] as const) used.use(id, end, 0)
  used.use('x', 100, 20)
  t.equal(used.size, 3)
  t.strictSame(['long', 'short', 'middle'].map((id) => used.isUsed(id, 50)), [true, false, true])
  used.use('y', 100, 40)
  t.equal(used.size, 2)
})

t.test('a clock that is set back makes nothing good again', async (t) => {
  const used = createUsedSignatures()
  used.use('a', 20, 5)
  used.use('b', 3630, 3600)
  t.equal(used.size, 1, 'an hour later a is forgotten')
  t.equal(used.use('a', 20, 5), false)
  t.equal(used.use('fresh', 26, 6), true, 'one issued after it is good')
})

t.test('ten thousand a second cost little time, and the memory of those that are alive', async (t) => {
  const used = createUsedSignatures()
  const LIFE_S = 25
  let slowestMs = 0
  for (let second = 0; second < 60; second++) {
    const startedAt = performance.now()
    for (let number = 0; number < 10_000; number++) used.use(`${second}-${number}`, second + LIFE_S, second)
    slowestMs = Math.max(slowestMs, performance.now() - startedAt)
  }
  t.ok(used.size <= (LIFE_S + 1) * 10_000, `${used.size} ids`)
  t.ok(slowestMs < 1000, `${Math.round(slowestMs)} ms for 10,000, a quarter of a million remembered`)
  t.equal(used.isUsed('59-1', 59 + LIFE_S), true)
  t.equal(used.isUsed('59-1x', 59 + LIFE_S), false)
})
