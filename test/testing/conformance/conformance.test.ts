import t from 'tap'
import { stepsFor } from '../../../lib/testing/conformance/rules/index.js'
import { withoutRedis } from '../../support/redis-server.js'
import { BROKEN_NODES, testConformance } from './conformance.js'

t.test('each rule of the check of relay nodes – is broken by one of the broken nodes', async (t) => {
  const broken = new Set(BROKEN_NODES.flatMap(([, { breaks }]) => Object.keys(breaks)))
  const ids = stepsFor('Redis').flatMap(({ rules }) => rules.map(({ id }) => id))
  t.strictSame(ids.filter((id) => !broken.has(id)), [])
})

t.test('a check of relay nodes – good and some broken ones – tells them apart', {
  skip: withoutRedis, timeout: 280_000, buffered: true
}, async (t) => await testConformance(t, BROKEN_NODES.filter((_node, at) => at % 40 === 0)))
