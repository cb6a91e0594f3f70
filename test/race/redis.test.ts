import t from 'tap'
import { withoutRedis } from '../support/redis-server.js'
import { testRace } from './test-race.js'
import { startRedisStore } from './redis-store.js'

testRace(t, 'Redis', { skip: withoutRedis, rooms: 20_000, startStore: startRedisStore })
