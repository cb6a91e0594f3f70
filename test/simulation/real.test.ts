import t from 'tap'
import { withoutRedis } from '../support/redis-server.js'
import { SEED } from '../support/seed.js'
import { liveWorlds } from './live-worlds.js'

t.test('whatever happens to three nodes on real Redis, one room is on one of them', {
  skip: withoutRedis, timeout: 120_000
}, async (t) => await liveWorlds(t, SEED, 6, 40))
