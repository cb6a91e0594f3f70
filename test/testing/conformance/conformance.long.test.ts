import t from 'tap'
import { withoutRedis } from '../../support/redis-server.js'
import { BROKEN_NODES, testConformance } from './conformance.js'

t.test('a check of relay nodes – of good ones and of all that are broken – tells them apart', {
  skip: withoutRedis, timeout: 0, buffered: true
}, async (t) => await testConformance(t, BROKEN_NODES))
