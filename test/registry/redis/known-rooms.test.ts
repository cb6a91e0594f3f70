import t from 'tap'
import { connect, makeRegistry, skipSettling } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { NodeView } from '../../../types/index.js'

t.test('assign – with the hint that the room is known – chooses only if the room is not bound', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const gateway = makeRegistry(t, redis)
  await makeRegistry(t, connect(t, port)).join(nodeRecord('n1'))
  // The registry of the gateway reads the nodes now.
  await gateway.assign(newRoom())
  let choices = 0
  const selectNode = (candidates: readonly NodeView[]) => {
    choices++
    return candidates
  }
  const room = newRoom()
  t.equal((await gateway.assign(room, { isKnown: true, selectNode })).node.id, 'n1', 'not bound, so a node is chosen')
  t.equal(choices, 1)
  t.equal((await gateway.assign(room, { isKnown: true, selectNode })).node.id, 'n1')
  t.equal(choices, 1, 'bound, so no node is chosen')
  const failing = () => { throw new RangeError('of the host') }
  t.equal((await gateway.assign(room, { isKnown: true, selectNode: failing })).node.id, 'n1')
  await t.rejects(gateway.assign(newRoom(), { isKnown: true, selectNode: failing }), RangeError)
})
