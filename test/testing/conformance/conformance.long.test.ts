import t from 'tap'
import { withoutRedis } from '../../support/redis-server.js'
import { BROKEN_NODES, testConformance } from './conformance.js'

t.test('a check of relay nodes – good and all broken ones – tells them apart', {
  skip: withoutRedis, timeout: 0, buffered: true
}, async (t) => await testConformance(t, BROKEN_NODES))
