import { NoLiveNodeError } from '../../lib/errors.js'
import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import { assignMany, idsOf, newRoom, nodeRecord, setUp } from './contract.js'
import type { Test } from 'tap'
import type { NodeRecord, NodeView, RoomKey } from '../../types/index.js'
import type { ContractOptions, MakeRegistry } from './contract.js'

/** Every sentence of `Membership` in types/registry.ts. */
export function membershipContract (t: Test, make: MakeRegistry, { goneAfterMs }: ContractOptions): void {
  t.test('a draining node keeps its rooms and gets no new ones, until it is put back', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1')
    const second = await join('n2')
    const room = newRoom()
    t.equal(await first.claim(room), 'ok')
    await first.drain()
    await until(() => gateway.nodes().some(({ draining }) => draining) || gateway.assign(room).then(() => false))
    t.strictSame(idsOf(await assignMany(gateway, 20)), ['n2'])
    t.equal((await gateway.assign(room)).node.id, 'n1')
    await second.drain(true)
    await first.drain(false)
    await until(() => gateway.nodes().every(({ id, draining }) => draining === (id === 'n2')))
    t.strictSame(idsOf(await assignMany(gateway, 20)), ['n1'])
  })

  t.test('a signal may stand alone', async (t) => {
    const { join } = await setUp(t, make)
    const member = await join('n1')
    t.equal(await member.claim(newRoom(), new AbortController().signal), 'ok')
    t.equal(await member.claim(newRoom(), { signal: new AbortController().signal }), 'ok')
  })

  t.test('more calls than one answer tells of – ended at once on one node – are all told before their bindings end', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const member = await join('n1')
    const rooms = Array.from({ length: 1200 }, newRoom)
    const inBatches = async (work: (room: RoomKey) => Promise<unknown>) => {
      for (let at = 0; at < rooms.length; at += 50) await Promise.all(rooms.slice(at, at + 50).map(work))
    }
    const told = new Set<string>()
    member.on('ended', ({ room }) => told.add(room))
    const results = new Set<string>()
    await inBatches(async (room) => results.add(await member.claim(room)))
    t.strictSame([...results], ['ok'])
    await inBatches(async (room) => await gateway.end?.(room))
    await until(() => told.size === rooms.length, 'the node heard of every end')
    t.strictSame(rooms.filter((room) => member.holds(room)), [])
  })

  t.test('a claimed room stays without being asked for; a released one lingers and ends', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1')
    const second = await join('n2')
    const room = newRoom()
    const notFirst = { accepts: ({ id }: NodeView) => id !== 'n1' }
    t.equal(await first.claim(room), 'ok')
    await elapse(goneAfterMs, 'a room that is not claimed would be gone')
    t.equal((await gateway.assign(room, notFirst)).node.id, 'n1')
    await first.release(room)
    t.equal((await gateway.assign(room, notFirst)).node.id, 'n1')
    t.equal(await second.claim(room), 'elsewhere')
    await elapse(goneAfterMs, 'the linger is over')
    t.equal((await gateway.assign(room, notFirst)).node.id, 'n2')
  })

  t.test('a claim is refused while the room is bound to another live node', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1')
    const second = await join('n2')
    const room = newRoom()
    const { node } = await gateway.assign(room)
    const [holder, other] = node.id === 'n1' ? [first, second] : [second, first]
    t.equal(await other.claim(room), 'elsewhere')
    t.equal(await holder.claim(room), 'ok')
    t.equal(await holder.claim(room), 'ok', 'again')
    t.equal(await other.claim(room), 'elsewhere')
    await other.release(room)
    t.equal((await gateway.assign(room)).node.id, node.id, 'nor can another release it')
    await holder.release(room)
    t.equal(await holder.claim(room), 'ok', 'while it lingers its node may take it again')
  })

  t.test('rooms of a node that left go to another, and it claims none', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1')
    const second = await join('n2')
    const [assigned, claimed] = [newRoom(), newRoom()]
    const { node } = await gateway.assign(assigned, { accepts: ({ id }) => id === 'n1' })
    t.equal(node.id, 'n1')
    t.equal(await first.claim(claimed), 'ok')
    t.equal(first.valid(), true)
    await first.leave()
    await t.resolves(first.leave(), 'idempotent')
    t.equal(first.valid(), false)
    t.equal(await first.claim(newRoom()), 'lapsed')
    t.equal((await gateway.assign(assigned)).node.id, 'n2')
    t.equal(await second.claim(claimed), 'ok', 'a claim takes a void binding')
    await second.leave()
    await t.rejects(gateway.assign(claimed), NoLiveNodeError)
  })

  t.test('each registration has an incarnation of its own', async (t) => {
    const { gateway, nodes, join } = await setUp(t, make)
    const first = await join('n1')
    const room = newRoom()
    const before = await gateway.assign(room)
    t.equal(before.node.incarnation, first.incarnation)
    await first.leave()
    const again = await nodes.join(nodeRecord('n1'))
    t.equal(again.id, 'n1')
    t.not(again.incarnation, first.incarnation)
    t.match(again.incarnation, /^[\w-]{22}$/)
    const after = await gateway.assign(room)
    t.equal(after.node.incarnation, again.incarnation)
    t.equal(first.valid(), false)
  })

  t.test('a claimed room is held until it is released or the node leaves', async (t) => {
    const { join } = await setUp(t, make)
    const member = await join('n1')
    const [room, other] = [newRoom(), newRoom()]
    t.equal(member.holds(room), false)
    t.equal(await member.claim(room), 'ok')
    t.equal(await member.claim(other), 'ok')
    t.strictSame([member.holds(room), member.holds({ ...room }), member.holds(newRoom())], [true, true, false])
    await member.release(room)
    t.strictSame([member.holds(room), member.holds(other)], [false, true])
    await member.leave()
    t.equal(member.holds(other), false)
  })

  t.test('a node knows the clock of the store', async (t) => {
    const { join } = await setUp(t, make)
    const member = await join('n1')
    t.ok(Math.abs(member.now() - Date.now()) < 1000)
  })

  t.test('when the call ends its node hears of it, and signatures from before open nothing', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const member = await join('n1')
    await join('n2')
    const heard: unknown[] = []
    member.on('ended', (room) => heard.push(room))
    const room = newRoom()
    const before = Math.floor(member.now() / 1000)
    t.equal(await member.claim(room, { issuedAt: before }), 'ok')
    t.equal(member.endedAt(room), undefined)
    await gateway.end?.(room)
    await until(() => heard.length > 0)
    t.strictSame(heard, [room])
    t.equal(member.holds(room), false)
    t.ok(Number(member.endedAt(room)) >= before * 1000)
    t.equal(await member.claim(room, { issuedAt: before }), 'ended')
    t.equal((await gateway.assign(room)).node.id, 'n1', 'the binding lingers')
    await elapse(1100, 'the next signature is of a later second')
    t.equal(await member.claim(room, { issuedAt: Math.floor(member.now() / 1000) }), 'ok', 'a new one opens it again')
    t.equal(await member.claim(room, { issuedAt: before }), 'ended', 'and the old one does not come in with it')
    t.equal(member.holds(room), true)
    await elapse(500, 'an older release would have been heard')
    t.equal(heard.length, 1, 'nor is a release heard that was before')
  })

  t.test('a release of a room that nobody opened, or that is not bound, is a success', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const member = await join('n1')
    const room = newRoom()
    await t.resolves(async () => await gateway.end?.(room))
    const { issuedAt } = await gateway.assign(room)
    await t.resolves(async () => await gateway.end?.(room))
    await t.resolves(async () => await gateway.end?.(room), 'twice')
    t.equal(await member.claim(room, { issuedAt: Math.floor(issuedAt / 1000) }), 'ended')
    t.equal(member.holds(room), false)
  })

  t.test('another registration of an id displaces the first, which never comes back', async (t) => {
    const { gateway, nodes, join } = await setUp(t, make)
    const first = await join('n1')
    const events: string[] = []
    first.on('replaced', () => events.push('replaced'))
    first.on('resumed', () => events.push('resumed'))
    const room = newRoom()
    t.equal(await first.claim(room), 'ok')
    const second = await nodes.join(nodeRecord('n1'))
    await until(() => events.length > 0)
    t.equal(first.valid(), false)
    t.equal(first.holds(room), false)
    t.equal(await first.claim(room), 'lapsed')
    t.equal((await gateway.assign(room)).node.incarnation, second.incarnation)
    t.equal(await second.claim(room), 'ok')
    await first.leave()
    await elapse(500, 'a late consequence would have reached the second one')
    t.equal(second.valid(), true, 'the displaced one takes nothing with it')
    t.equal((await gateway.assign(room)).node.incarnation, second.incarnation)
    t.strictSame(events, ['replaced'])
  })

  t.test('a record that is not valid is refused with the name of the field', async (t) => {
    const { nodes } = await setUp(t, make)
    const bad: Array<[unknown, RegExp]> = [
      [nodeRecord('n 1'), /"id"/],
      [{ wssUrl: 'wss://n1.example/' }, /"id"/],
      [null, /"id"/],
      [{ id: 'n1' }, /"wssUrl"/],
      [nodeRecord('n1', { wssUrl: 'https://n1.example/' }), /"wssUrl"/],
      [nodeRecord('n1', { wssUrlOut: 'wss://u:p@n1.example/' }), /"wssUrlOut"/],
      [nodeRecord('n1', { weight: 0 }), /"weight"/],
      [nodeRecord('n1', { zone: '' }), /"zone"/],
      [nodeRecord('n1', { capacity: 1.5 }), /"capacity"/]
    ]
    for (const [record, message] of bad) {
      // What a program without types may hand in.
      await t.rejects(nodes.join(record as NodeRecord), { name: 'TypeError', message })
    }
  })
}
