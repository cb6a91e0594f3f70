import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { createLayout } from '../../../lib/registry/zookeeper/layout.js'
import { createZooKeeperNode } from '../../../lib/registry/zookeeper/node-store.js'
import { createRooms } from '../../../lib/registry/zookeeper/room-records.js'
import { createSweep } from '../../../lib/registry/zookeeper/sweep.js'
import { UnreadableBindingError } from '../../../lib/common/unavailable.js'
import { until } from '../../support/until.js'
import { startAdmin } from '../../support/zookeeper-admin.js'
import { connectClient } from '../../support/zookeeper-client.js'
import { newRoot } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { Claims } from '../../../lib/registry/membership/node-store.js'

const NO_CLAIMS: Claims = { rooms: [], yields: false }
const KEY = 'k'.repeat(43)
const claimOf = (number: number) => ({ rooms: [{ key: KEY, number }], yields: false })

t.test('requests of a node to ZooKeeper', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)

  /** Creates two processes, each in its own session. */
  async function setUp (t: Test) {
    const layout = createLayout(newRoot())
    const start = async () => {
      const { client } = await connectClient(t, hosts)
      const rooms = createRooms(client, layout)
      const sweep = createSweep({ client, layout, rooms, lingerMs: 60_000, clock: systemClock })
      const node = createZooKeeperNode({ client, layout, rooms, sweep, lingerMs: 60_000, clock: systemClock })
      t.teardown(() => {
        node.close?.()
        sweep.stop()
      })
      const register = async (member: string, replaces: string, claims = NO_CLAIMS) =>
        await node.register({ epoch: '', member, record: '{}', replaces, claims })
      return { client, rooms, node, register }
    }
    const [first, second] = [await start(), await start()]
    return { layout, first, second, bindingOf: async () => (await first.rooms.read(KEY)).binding }
  }

  t.test('a registration sent again – is the same registration', async (t) => {
    const { layout, first } = await setUp(t)
    t.match(await first.register('n1|a', ''), { outcome: 'ok' })
    t.match(await first.register('n1|a', ''), { outcome: 'ok' })
    t.strictSame(await first.client.children(layout.nodes), ['n1~a'])
  })

  t.test('a registration that replaces another than the current incarnation – is rejected', async (t) => {
    const { first, second } = await setUp(t)
    await first.register('n1|a', '')
    t.strictSame(await second.register('n1|b', ''), { outcome: 'present', incarnation: 'a' })
    t.strictSame(await second.register('n1|b', 'c'), { outcome: 'present', incarnation: 'a' })
    t.match(await first.node.beat({ epoch: '', member: 'n1|a', record: '{}', claims: NO_CLAIMS }), { outcome: 'ok' })
  })

  t.test('a registration that replaces the current incarnation – ends it, and takes its rooms in the same transaction', async (t) => {
    const { layout, first, second, bindingOf } = await setUp(t)
    await first.register('n1|a', '')
    t.match(await first.node.claim({ epoch: '', member: 'n1|a', claims: claimOf(1) }), { outcome: 'ok' })
    t.match(await second.register('n1|b', 'a', claimOf(1)), { outcome: 'ok', claims: [{ word: 'ok' }] })
    t.strictSame(await first.client.children(layout.nodes), ['n1~b'])
    t.match(await bindingOf(), { member: 'n1|b', state: 'claimed' })
    const beat = await first.node.beat({ epoch: '', member: 'n1|a', record: '{}', claims: NO_CLAIMS })
    t.strictSame(beat, { outcome: 'lapsed' })
  })

  t.test('a node without a registration – claims nothing, not even an unheld room', async (t) => {
    const { layout, first, second, bindingOf } = await setUp(t)
    await first.register('n1|a', '')
    await second.client.remove(layout.nodePath('n1|a'))
    t.strictSame(await first.node.claim({ epoch: '', member: 'n1|a', claims: claimOf(1) }), { outcome: 'lapsed' })
    t.equal(await bindingOf(), undefined)
  })

  t.test('a call that ended – before the clocks were set back – rejects no later signature', async (t) => {
    const { first, bindingOf } = await setUp(t)
    await first.register('n1|a', '')
    const [now, endedAt] = [Date.now(), Date.now() + 3_600_000]
    const binding = { member: 'n1|a', state: 'released' as const, claims: 0, endedAt }
    await first.client.multi(first.rooms.write(await first.rooms.read(KEY), binding).ops)
    const claim = async (date: number) => {
      const claims = { rooms: [{ key: KEY, number: 1, date }], yields: false }
      return await first.node.claim({ epoch: '', member: 'n1|a', claims })
    }
    t.match(await claim(endedAt - 5000), { claims: [{ word: 'ended', endedAt }] })
    t.match(await claim(now), { claims: [{ word: 'ok', endedAt: 0 }] })
    t.match(await bindingOf(), { state: 'claimed', endedAt: 0 })
  })

  t.test('a registration of another session – counts as none: it vanishes with that session', async (t) => {
    const { layout, first, second } = await setUp(t)
    await first.register('n1|a', '')
    t.strictSame(await second.register('n1|a', ''), { outcome: 'lapsed' })
    t.strictSame(await second.node.beat({ epoch: '', member: 'n1|a', record: '{}', claims: NO_CLAIMS }), { outcome: 'lapsed' })
    t.strictSame(await first.client.children(layout.nodes), ['n1~a'])
  })

  t.test('a late release – does not cut a newer claim', async (t) => {
    const { first, bindingOf } = await setUp(t)
    await first.register('n1|a', '')
    await first.node.claim({ epoch: '', member: 'n1|a', claims: claimOf(2) })
    await first.node.release({ epoch: '', member: 'n1|a', key: KEY, number: 1 })
    t.match(await bindingOf(), { state: 'claimed', claims: 2 })
    await first.node.release({ epoch: '', member: 'n1|a', key: KEY, number: 2 })
    t.match(await bindingOf(), { state: 'released', claims: 2 })
  })

  t.test('a release – finds that an operator moves the room – the node hears of the end, and gives the room up', async (t) => {
    const { first, second, bindingOf } = await setUp(t)
    await first.register('n1|a', '')
    await first.node.claim({ epoch: '', member: 'n1|a', claims: claimOf(1) })
    const moving = { member: 'n1|a', state: 'moving' as const, claims: Date.now(), endedAt: 0, target: 'n2' }
    await second.client.multi(second.rooms.write(await second.rooms.read(KEY), moving).ops)
    await first.node.release({ epoch: '', member: 'n1|a', key: KEY, number: 1 })
    t.match(await bindingOf(), { state: 'moving' }, 'it has not heard of the end')
    const beat = { epoch: '', member: 'n1|a', record: '{}', claims: NO_CLAIMS }
    const answer = await first.node.beat(beat)
    t.match(answer, { outcome: 'ok', ends: [{ key: KEY }] })
    await first.node.beat({ ...beat, heard: [{ key: KEY, at: 1 }] })
    await until(async () => (await bindingOf())?.state === 'moved', 'the room is given up')
    t.match(await bindingOf(), { member: 'n1|a', target: 'n2' })
  })

  t.test('rooms that cannot be read or written – affect no other room', async (t) => {
    const { layout, first, second } = await setUp(t)
    await first.register('n1|a', '')
    await second.register('n2|b', '')
    const keys = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(43))
    const [garbage = '', locked = '', readOnly = ''] = keys
    const known = { rooms: [garbage, locked, readOnly].map((key) => ({ key, number: 1 })), yields: false }
    await second.node.claim({ epoch: '', member: 'n2|b', claims: known })
    await second.node.leave(['n2|b'])
    const admin = await startAdmin(t, hosts)
    await second.client.multi([{ type: 'set', path: layout.roomPath(garbage), data: Buffer.from('garbage') }])
    await admin.lock(layout.roomPath(locked))
    await admin.makeReadOnly(layout.roomPath(readOnly))
    const claims = { rooms: keys.map((key) => ({ key, number: 1 })), yields: false }
    const answer = await first.node.beat({ epoch: '', member: 'n1|a', record: '{}', claims })
    t.match(answer, { outcome: 'ok', claims: ['failed', 'failed', 'failed', 'ok', 'ok'].map((word) => ({ word })) })
  })

  t.test('the release of an unreadable room – does not block the others', async (t) => {
    const { layout, first } = await setUp(t)
    await first.register('n1|a', '')
    const [spoilt, other] = ['a'.repeat(43), 'b'.repeat(43)]
    const claims = { rooms: [spoilt, other].map((key) => ({ key, number: 1 })), yields: false }
    await first.node.claim({ epoch: '', member: 'n1|a', claims })
    const { data: good = Buffer.alloc(0) } = await first.client.get(layout.roomPath(other)) ?? {}
    const write = async (key: string, data: Buffer) =>
      await first.client.multi([{ type: 'set', path: layout.roomPath(key), data }])
    for (const key of [spoilt, other]) {
      await write(key, Buffer.from('garbage'))
      await t.rejects(first.node.release({ epoch: '', member: 'n1|a', key, number: 1 }), UnreadableBindingError)
    }
    await write(other, good)
    await first.node.beat({ epoch: '', member: 'n1|a', record: '{}', claims: NO_CLAIMS })
    await until(async () => (await first.rooms.read(other)).binding?.state === 'released')
  })
})
