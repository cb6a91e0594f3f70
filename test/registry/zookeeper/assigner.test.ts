import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { createZooKeeperRegistry } from '../../../lib/registry/zookeeper.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { createZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import { patient } from '../../support/redis-registry.js'
import { elapse } from '../../support/elapse.js'
import { eventually, until } from '../../support/until.js'
import { makeHastyRegistry, makeRegistry, newRoot, STEADY } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { PATIENT, setUpRooms } from './set-up-rooms.js'
import type { Test } from 'tap'
import type { RoomKey } from '../../../types/registry.js'

t.test('rooms on one server', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  const { hosts } = server

  /** Starts a gateway whose calls for rooms are counted, and two nodes. */
  async function setUp (t: Test) {
    const root = newRoot()
    const { layout, rooms, read, done, write } = await setUpRooms(t, hosts, root)
    const nodes = makeRegistry(t, hosts, { root, ...STEADY })
    const [n1, n2] = [await nodes.join(nodeRecord('n1')), await nodes.join(nodeRecord('n2'))]
    const counts = { readings: 0, transactions: 0 }
    let sessionOf: () => string | undefined = () => undefined
    const isOfRoom = (path: string) => path.startsWith(`${root}/rooms/`)
    const registry = createZooKeeperRegistry({ hosts, root, ...STEADY }, systemClock, (options) => {
      const client = createZooKeeperClient(options)
      sessionOf = client.sessionId
      return {
        ...client,
        async get (path, options) {
          if (isOfRoom(path)) counts.readings++
          return await client.get(path, { ...options, ...PATIENT })
        },
        async multi (ops, options) {
          if (ops.some(({ path }) => isOfRoom(path))) counts.transactions++
          return await client.multi(ops, { ...options, ...PATIENT })
        }
      }
    })
    t.teardown(async () => await registry.close())
    const gateway = patient(registry)
    const nodeOf = async (room: RoomKey) => (await gateway.assign(room)).node.id
    /** Counts of this work, by a gateway that has read the nodes. */
    async function countOf (work: () => Promise<unknown>) {
      await eventually(() => gateway.nodes().length, 2)
      Object.assign(counts, { readings: 0, transactions: 0 })
      await work()
      return { ...counts }
    }
    /** Claims the room, and lets the gateway meet it. */
    async function open (room: RoomKey) {
      t.equal(await n1.claim(room), 'ok')
      t.equal(await nodeOf(room), 'n1')
    }
    async function expire () {
      const before = sessionOf()
      await server.expire(before)
      await until(() => sessionOf() !== undefined && sessionOf() !== before, 'a new session')
    }
    await gateway.assign(newRoom())
    return { layout, rooms, read, done, write, n1, n2, nodeOf, countOf, open, expire }
  }

  t.test('claimed rooms that the gateway has met – are not read again, and share a transaction', async (t) => {
    const { nodeOf, countOf, open } = await setUp(t)
    const known = [newRoom(), newRoom(), newRoom()]
    for (const room of known) await open(room)
    t.strictSame(await countOf(async () => await Promise.all(known.map(nodeOf))), { readings: 0, transactions: 1 })
  })

  t.test('a room without a claim – is written for each answer, and read before', async (t) => {
    const { nodeOf, countOf } = await setUp(t)
    const room = newRoom()
    await nodeOf(room)
    t.strictSame(await countOf(async () => await nodeOf(room)), { readings: 1, transactions: 1 })
  })

  t.test('a claimed room – released, and assigned to another node meanwhile – gets that node', async (t) => {
    const { layout, write, n2, nodeOf, open } = await setUp(t)
    const room = newRoom()
    await open(room)
    await write({ member: `n2|${n2.incarnation}`, state: 'claimed', claims: 1, endedAt: 0 }, layout.roomKey(room))
    t.equal(await nodeOf(room), 'n2')
    t.equal(await nodeOf(room), 'n2', 'which is known from now on')
  })

  t.test('a claimed room – deleted, and created again at the same version – gets its new node', async (t) => {
    const { layout, rooms, read, done, write, n2, nodeOf, open } = await setUp(t)
    const room = newRoom()
    const key = layout.roomKey(room)
    await open(room)
    const before = await read(key)
    t.ok(await done(rooms.remove(before)))
    await write({ member: `n2|${n2.incarnation}`, state: 'claimed', claims: 1, endedAt: 0 }, key)
    t.equal((await read(key)).version, before.version)
    t.equal(await nodeOf(room), 'n2')
  })

  t.test('a claimed room – released meanwhile – lingers from this answer on', async (t) => {
    const { layout, read, n1, nodeOf, open } = await setUp(t)
    const room = newRoom()
    await open(room)
    n1.release(room)
    await eventually(async () => (await read(layout.roomKey(room))).binding?.state, 'released')
    const before = await read(layout.roomKey(room))
    t.equal(await nodeOf(room), 'n1')
    t.not((await read(layout.roomKey(room))).text, before.text, 'a write, from which the linger counts')
  })

  t.test('a claimed room, after the session of the gateway has expired – is read again', async (t) => {
    const { nodeOf, countOf, open, expire } = await setUp(t)
    const room = newRoom()
    await open(room)
    await expire()
    t.strictSame(await countOf(async () => await nodeOf(room)), { readings: 1, transactions: 1 })
  })

  t.test('a claimed room whose node has left – moves to the other', async (t) => {
    const { n1, nodeOf, open } = await setUp(t)
    const room = newRoom()
    await open(room)
    await n1.leave()
    t.equal(await nodeOf(room), 'n2')
  })

  t.test('the end of a call – the server pauses for longer than a gateway waits – is written', async (t) => {
    const registry = makeHastyRegistry(t, hosts, { root: newRoot(), ...STEADY })
    const member = await patient(registry).join(nodeRecord('n1'))
    const room = newRoom()
    t.equal(await member.claim(room), 'ok')
    server.pause()
    const ended = registry.end?.(room)
    await elapse(700, 'longer than a call of a gateway')
    server.resume()
    await ended
    await until(() => !member.holds(room), 'the node to hear of it')
  })
})
