import t from 'tap'
import { withoutRedis } from '../../support/redis-server.js'
import { startRedisStore } from './redis-store.js'
import { testRace } from './test-race.js'

t.setTimeout(0)
testRace(t, 'Redis', {
  skip: withoutRedis,
  startStore: startRedisStore,
  extent: {
    gateways: 2,
    nodes: 3,
    drivers: 1,
    seconds: 0,
    moves: 5,
    mayLapse: true,
    roomsAtOnce: 15,
    faults: ['node-kill', 'gateway-cut', 'store-fail-over', 'store-flush']
  }
})
