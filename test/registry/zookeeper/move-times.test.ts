import t from 'tap'
import { createMoveTimes } from '../../../lib/registry/zookeeper/move-times.js'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'

const NOW = 1_000_000
const times = createMoveTimes({ client: { sessionTimeout: () => 6000 }, clock: { wall: () => NOW }, lingerMs: 20_000 })
const movedAgo = (ms: number, state: Binding['state'] = 'moving') =>
  ({ member: 'n1|first', state, claims: NOW - ms, endedAt: 0 })

t.test('a room that an operator moves – waits for its node for the linger and a session', async (t) => {
  t.equal(times.isWaiting(movedAgo(26_000)), true)
  t.equal(times.isWaiting(movedAgo(26_001)), false)
  t.equal(times.isWaiting(movedAgo(0, 'moved')), false)
  t.equal(times.isWaiting(movedAgo(0, 'claimed')), false)
})

t.test('a room that an operator moves – leaves its node out for twice as long', async (t) => {
  for (const state of ['moving', 'moved'] as const) {
    t.equal(times.leavesOut(movedAgo(52_000, state)), true)
    t.equal(times.leavesOut(movedAgo(52_001, state)), false)
  }
  t.equal(times.leavesOut(movedAgo(0, 'released')), false)
})
