import { setTimeout as sleep } from 'node:timers/promises'
import { NoLiveNodeError } from '../../lib/errors.js'
import { until } from '../support/until.js'
import { assignMany, idsOf, newRoom, nodeRecord, setUp } from './contract.js'
import type { Test } from 'tap'
import type { NodeRecord, NodeView } from '../../types/index.js'
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

  t.test('a claimed room stays without being asked for; a released one lingers and ends', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1')
    const second = await join('n2')
    const room = newRoom()
    const notFirst = { accepts: ({ id }: NodeView) => id !== 'n1' }
    t.equal(await first.claim(room), 'ok')
    await sleep(goneAfterMs)
    t.equal((await gateway.assign(room, notFirst)).node.id, 'n1')
    await first.release(room)
    t.equal((await gateway.assign(room, notFirst)).node.id, 'n1')
    t.equal(await second.claim(room), 'elsewhere')
    await sleep(goneAfterMs)
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
