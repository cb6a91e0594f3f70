import t from 'tap'
import { RegistrySettlingError } from '../../../lib/errors.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { makeRegistry, newRoot, STEADY } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { setUpRooms } from './set-up-rooms.js'

t.test('a node that never gives up a room that moves – keeps it from the others for its time, and no longer', {
  skip: withoutZooKeeper
}, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const root = newRoot()
  const registry = makeRegistry(t, hosts, { root, ...STEADY })
  const n1 = await registry.join(nodeRecord('n1'))
  await registry.join(nodeRecord('n2'))
  const { layout, write } = await setUpRooms(t, hosts, root)
  const room = newRoom()
  const key = layout.roomKey(room)
  const member = `n1|${n1.incarnation}`
  const explained = async () => (await registry.operations?.explain(room))?.binding?.state
  // The node does not watch a room that it has not claimed itself.
  await write({ member, state: 'claimed', claims: 1, endedAt: 0 }, key)
  const order = { reason: 'it freezes', author: 'anna' }
  t.strictSame(await registry.operations?.move(room, order), { outcome: 'moving', from: 'n1' })
  await t.rejects(registry.assign(room), RegistrySettlingError)
  t.equal(await explained(), 'moving')

  const waitMs = 1000 * (registry.linger ?? 0) + STEADY.sessionTimeout
  await write({ member, state: 'moving', claims: Date.now() - waitMs - 1, endedAt: 0 }, key)
  t.equal(await explained(), 'moved')
  t.equal((await registry.assign(room)).node.id, 'n2')

  await write({ member, state: 'moving', claims: Date.now() - 2 * waitMs - 1, endedAt: 0 }, key)
  await registry.operations?.setOrder('n2', { kind: 'cordon', ...order })
  t.equal((await registry.assign(room)).node.id, 'n1', 'the only node that is left')
})
