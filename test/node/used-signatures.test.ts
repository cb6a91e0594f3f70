import t from 'tap'
import { createPastSignatures } from '../../lib/node/past-signatures.js'
import { createUsedSignatures } from '../../lib/node/used-signatures.js'

t.test('a signature – until it expires – is used once', async (t) => {
  const used = createUsedSignatures()
  t.equal(used.use('a', 20, 0), true)
  t.equal(used.use('a', 20, 19.9), false)
  t.equal(used.isUsed('a', 20), true)
  t.equal(used.isUsed('b', 20), false)
  t.equal(used.use('a', 25, 1), false, 'a different expiry changes nothing')
})

t.test('expired signatures – and only those – are forgotten', async (t) => {
  const used = createUsedSignatures()
  for (const [id, end] of [['long', 40], ['short', 20], ['middle', 30]] as const) used.use(id, end, 0)
  used.use('x', 100, 20)
  t.equal(used.size, 3)
  t.strictSame(['long', 'short', 'middle'].map((id) => used.isUsed(id, 50)), [true, false, true])
  used.use('y', 100, 40)
  t.equal(used.size, 2)
})

t.test('a clock that is set back – makes no used signature valid again', async (t) => {
  const used = createUsedSignatures()
  used.use('a', 20, 5)
  used.use('b', 3630, 3600)
  t.equal(used.size, 1, 'an hour later a is forgotten')
  t.equal(used.use('a', 20, 5), false)
  t.equal(used.use('fresh', 26, 6), true, 'a signature issued later is valid')
  t.equal(used.use('fresh too', 20, 6), true, 'as is one that expires with a used one, or earlier')
  t.equal(used.use('b', 3630, 3600), false)
})

t.test('a clock set back – at any time until it has caught up – closes the node to no fresh signature', async (t) => {
  const T = 1_800_000_000
  const used = createUsedSignatures()
  const shown = Array.from({ length: 200 }, (_, second) => ({ id: `used-${second}`, at: T + second }))
  for (const { id, at } of shown) used.use(id, at + 20, at)
  for (const jump of [1, 30, 180, 3600, 86_400]) {
    const refused = []
    for (let at = T + 200 - jump; at <= T + 200; at += Math.ceil(jump / 100)) {
      if (!used.use(`fresh-${jump}-${at}`, at + 20, at)) refused.push(at)
    }
    t.strictSame(refused, [], `${jump} s back`)
    t.ok(shown.every(({ id, at }) => used.isUsed(id, at + 20)), 'every used one stays used')
  }
})

t.test('a clock that is an hour ahead for a while – signatures used before, then and later stay used', async (t) => {
  const used = createUsedSignatures()
  used.use('before', 25, 5)
  used.use('ahead', 3640, 3620)
  t.equal(used.use('later', 45, 25), true)
  for (const [id, end] of [['before', 25], ['ahead', 3640], ['later', 45]] as const) {
    t.equal(used.use(id, end, 26), false, id)
  }
  t.equal(used.use('fresh', 46, 26), true)
})

t.test('past signatures – more than fit – stay used, and the rest costs nothing', async (t) => {
  const past = createPastSignatures(100)
  for (let end = 1; end <= 250; end++) past.add(`id-${end}`, end)
  t.ok(Array.from({ length: 250 }, (_, at) => past.has(`id-${at + 1}`, at + 1)).every(Boolean))
  t.equal(past.has('fresh', 150), true, 'a fresh one that expires with a dropped one is rejected')
  t.equal(past.has('fresh', 151), false)
  t.equal(past.has('fresh', 251), false)
})

t.test('ten thousand signatures a second – cost little time, and memory only until they expire', async (t) => {
  const used = createUsedSignatures()
  const LIFE_S = 25
  let slowestMs = 0
  for (let second = 0; second < 60; second++) {
    const before = process.cpuUsage()
    for (let number = 0; number < 10_000; number++) used.use(`${second}-${number}`, second + LIFE_S, second)
    // Time of the processor: a busy machine takes the process off it for any time.
    const { user, system } = process.cpuUsage(before)
    slowestMs = Math.max(slowestMs, (user + system) / 1000)
  }
  t.ok(used.size <= (LIFE_S + 1) * 10_000, `${used.size} ids`)
  t.ok(slowestMs < 1000, `${Math.round(slowestMs)} ms for 10,000, a quarter of a million remembered`)
  t.equal(used.isUsed('59-1', 59 + LIFE_S), true)
  t.equal(used.isUsed('59-1x', 59 + LIFE_S), false)
})
