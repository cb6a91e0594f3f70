import { createLayout } from '../../../lib/registry/zookeeper/layout.js'
import { createRooms } from '../../../lib/registry/zookeeper/room-records.js'
import { connectClient } from '../../support/zookeeper-client.js'
import { newRoot } from '../../support/zookeeper-registry.js'
import { newRoom } from '../../../lib/testing/contracts/rooms.js'
import type { Test } from 'tap'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'
import type { ZooKeeperClient } from '../../../lib/zookeeper-client/client.js'

/** Maximum milliseconds of a request on a busy machine. */
export const PATIENT = { ms: 5000 }

export const assigned: Binding & { member: string } = { member: 'n1|first', state: 'assigned', claims: 0, endedAt: 0 }
export const other = { ...assigned, member: 'n2|second' }

/** Creates rooms under their own root, with the operations of a gateway. */
export async function setUpRooms (t: Test, hosts: string, root = newRoot()) {
  const layout = createLayout(root)
  const { client } = await connectClient(t, hosts, { sessionTimeout: 10_000 })
  const rooms = createRooms(client, layout)
  const key = layout.roomKey(newRoom())
  const read = async (of = key) => await rooms.read(of, PATIENT)
  const done = async (ops: Parameters<ZooKeeperClient['multi']>[0]) =>
    await client.multi(ops, PATIENT) === undefined
  /** Writes as a gateway does. */
  async function write (binding: Binding, of = key): Promise<string> {
    const { ops, text } = rooms.write(await read(of), binding)
    t.ok(await done(ops))
    return text
  }
  const recreate = async (binding: Binding = other) => {
    t.ok(await done(rooms.remove(await read())))
    return await write(binding)
  }
  const textOf = async (of = key) => (await read(of)).text
  return { layout, client, rooms, key, read, done, write, recreate, textOf }
}
