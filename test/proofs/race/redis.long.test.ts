import t from 'tap'
import { withoutRedis } from '../../support/redis-server.js'
import { LONG_RACE } from './long-race.js'
import { startRedisStore } from './redis-store.js'
import { testRace } from './test-race.js'

t.setTimeout(0)
testRace(t, 'Redis', { skip: withoutRedis, startStore: startRedisStore, extent: LONG_RACE })
