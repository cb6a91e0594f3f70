import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { withoutRedis } from '../../support/redis-server.js'
import { SEED } from '../../support/seed.js'
import { liveWorlds } from './live-worlds.js'

t.setTimeout(0)
t.test('three nodes on real Redis – random faults – a room is on one node at a time', {
  skip: withoutRedis, timeout: 0
}, async (t) => {
  const endsAt = performance.now() + SECONDS * 1000
  for (let round = 0; round === 0 || performance.now() < endsAt; round++) {
    await t.test(`round ${round}`, async (t) => await liveWorlds(t, SEED + round, 8, 80))
  }
})
