import assert from 'node:assert/strict'
import { show } from '../broken.js'
import { assertNoLiveNode } from '../registry/assigning.js'
import { assignMany, idsOf, newRoom, nodeOf, wssUrlOf } from '../rooms.js'
import { joinTwo, operationsOf } from './two-nodes.js'
import type { NewNodeOrder, NodeOrder } from '../../../../types/operations.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

const CORDON: NewNodeOrder = { kind: 'cordon', reason: 'disk is full', author: 'anna' }
const DRAIN: NewNodeOrder = { kind: 'drain', reason: 'new kernel', author: 'li', deadline: 60_000, returnWithin: 2000 }

const BAD_ORDERS: Array<[field: string, order: unknown]> = [
  ['kind', { ...CORDON, kind: 'stop' }],
  ['reason', { ...CORDON, reason: '' }],
  ['reason', { ...CORDON, reason: 'x'.repeat(201) }],
  ['reason', { ...CORDON, reason: 'two\nlines' }],
  ['author', { ...CORDON, author: undefined }],
  ['author', { ...CORDON, author: 'x'.repeat(65) }],
  ['deadline', { ...DRAIN, deadline: -1 }],
  ['returnWithin', { ...DRAIN, returnWithin: 0.5 }],
  ['deadline', { ...CORDON, deadline: 1000 }],
  ['at', { ...CORDON, at: 0 }]
]

export const ORDERING: Sentences<RegistryFixture> = {
  'setOrder – a cordon – the node gets no new rooms, from then on': async (fixture) => {
    const { registry } = await joinTwo(fixture)
    await operationsOf(fixture).setOrder('n1', CORDON)
    assert.deepEqual(idsOf(await assignMany(registry, 20)), ['n2'])
  },

  'setOrder – the only node – no live node can take a new room': async (fixture) => {
    await fixture.join('n1')
    await fixture.registry.assign(newRoom())
    await operationsOf(fixture).setOrder('n1', CORDON)
    assertNoLiveNode(await fixture.rejection(async () => await fixture.registry.assign(newRoom())))
  },

  'setOrder – a node with rooms – keeps them': async (fixture) => {
    const { registry, first } = await joinTwo(fixture)
    const [claimed, assigned] = [newRoom(), newRoom()]
    assert.equal(await first.claim(claimed), 'ok')
    const before = await nodeOf(registry, assigned)
    for (const id of ['n1', 'n2']) await operationsOf(fixture).setOrder(id, DRAIN)
    assert.equal(await nodeOf(registry, claimed), 'n1')
    assert.equal(await nodeOf(registry, assigned), before)
    assert.equal(first.holds(claimed), true)
  },

  'setOrder – a node under an order – shows as draining, without its own doing': async (fixture) => {
    await joinTwo(fixture)
    await operationsOf(fixture).setOrder('n1', CORDON)
    await fixture.untilShown('"nodes" shows that the first drains',
      (nodes) => nodes.length === 2 && nodes.every(({ id, draining }) => draining === (id === 'n1')))
  },

  'setOrder – a node – hears of its order, and of its end': async (fixture) => {
    const { first } = await joinTwo(fixture)
    const heard: Array<NodeOrder['kind'] | undefined> = []
    first.on('ordered', (order) => heard.push(order?.kind))
    for (const order of [DRAIN, CORDON, null]) {
      const before = heard.length
      await operationsOf(fixture).setOrder('n1', order)
      await fixture.until('the node hears of the order', () => heard.length > before)
      assert.equal(first.order?.reason, order?.reason)
    }
    assert.deepEqual(heard, ['drain', 'cordon', undefined])
  },

  'setOrder – null – the node gets new rooms again': async (fixture) => {
    const { registry } = await joinTwo(fixture)
    const { setOrder } = operationsOf(fixture)
    for (const id of ['n1', 'n2']) await setOrder(id, CORDON)
    await fixture.rejection(async () => await registry.assign(newRoom()))
    await setOrder('n2', null)
    await fixture.until('a new room gets the other node', async () =>
      await registry.assign(newRoom()).then(({ node }) => node.id === 'n2', () => false))
    assert.deepEqual(idsOf(await assignMany(registry, 20)), ['n2'])
  },

  'setOrder – an id that is not registered – applies to the node that joins with it': async (fixture) => {
    await operationsOf(fixture).setOrder('n1', CORDON)
    const first = await fixture.join('n1')
    await fixture.join('n2')
    assert.equal(first.order?.reason, CORDON.reason)
    assert.deepEqual(idsOf(await assignMany(fixture.registry, 20)), ['n2'])
  },

  'setOrder – the node leaves and joins again – is still under the order': async (fixture) => {
    const { registry, first } = await joinTwo(fixture)
    await operationsOf(fixture).setOrder('n1', CORDON)
    await first.leave()
    const again = await fixture.join('n1')
    assert.equal(again.order?.reason, CORDON.reason)
    assert.deepEqual(idsOf(await assignMany(registry, 20)), ['n2'])
  },

  'setOrder – an order that is not valid – rejects with a TypeError that names the field': async (fixture) => {
    const { setOrder } = operationsOf(fixture)
    for (const [field, order] of BAD_ORDERS) {
      // A program without types may pass anything.
      const error = await fixture.rejection(async () => await setOrder('n1', order as NewNodeOrder))
      const isExpected = error instanceof TypeError && error.message.includes(`"${field}"`)
      assert.ok(isExpected, `${show(order)} rejects with ${show(error)}, expected a TypeError that names "${field}"`)
    }
    const error = await fixture.rejection(async () => await setOrder('n 1', CORDON))
    assert.ok(error instanceof TypeError, 'an id that no node can have')
    assert.equal((await operationsOf(fixture).orders()).size, 0)
  },

  'orders – orders that were given, replaced and taken back – are those in force': async (fixture) => {
    const { setOrder, orders } = operationsOf(fixture)
    const earliest = Date.now() - fixture.clockSkew
    await setOrder('n1', CORDON)
    await setOrder('n1', DRAIN)
    await setOrder('n2', CORDON)
    await setOrder('n3', CORDON)
    await setOrder('n3', null)
    await setOrder('n4', null)
    const inForce = await orders()
    assert.deepEqual([...inForce.keys()].sort(), ['n1', 'n2'])
    const { at = 0, ...drain } = inForce.get('n1') ?? {}
    assert.deepEqual(drain, DRAIN)
    assert.ok(at >= earliest && at <= Date.now() + fixture.clockSkew, `"at" is ${at}, the tests have ${Date.now()}`)
  },

  'rooms – rooms of two nodes – are told with their nodes and states, or those of one node': async (fixture) => {
    const { registry, first, second } = await joinTwo(fixture)
    const { setOrder, rooms } = operationsOf(fixture)
    const [ours, theirs, assigned] = [newRoom(), newRoom(), newRoom()]
    assert.equal(await first.claim(ours), 'ok')
    assert.equal(await second.claim(theirs), 'ok')
    await setOrder('n1', CORDON)
    assert.equal(await nodeOf(registry, assigned), 'n2')
    const told = async (node?: string) => {
      const seen: string[] = []
      for await (const room of rooms({ node })) {
        assert.match(room.key, /^[\w-]{43}$/)
        const { incarnation } = room.node === 'n1' ? first : second
        assert.equal(room.incarnation, incarnation)
        seen.push(`${room.node} ${room.state}`)
      }
      return seen
    }
    // The fixture may have assigned a room of its own.
    assert.deepEqual((await told('n1')).filter((room) => room !== 'n1 assigned'), ['n1 claimed'])
    const all = await told()
    for (const room of ['n1 claimed', 'n2 assigned', 'n2 claimed']) assert.ok(all.includes(room), `${room} in ${show(all)}`)
    assert.deepEqual(await told('n3'), [])
  },

  'explain – a claimed room – tells its node, and that the next caller gets it': async (fixture) => {
    const { first } = await joinTwo(fixture)
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    const { binding, next, key, settlingMs } = await operationsOf(fixture).explain(room)
    const { node, incarnation, state, isAlive } = binding ?? {}
    assert.deepEqual({ node, incarnation, state, isAlive }, {
      node: 'n1', incarnation: first.incarnation, state: 'claimed', isAlive: true
    })
    assert.match(key, /^[\w-]{43}$/)
    assert.equal(settlingMs, 0)
    assert.equal(next, 'the node n1: the room is bound to it, and it is alive')
  },

  'explain – an unbound room – names the candidates, and the reasons against the others': async (fixture) => {
    await joinTwo(fixture)
    await fixture.join('full', { capacity: 0 })
    const { setOrder, explain } = operationsOf(fixture)
    await setOrder('n1', CORDON)
    await setOrder('gone', DRAIN)
    const { binding, candidates, leftOut, next } = await explain(newRoom())
    assert.equal(binding, undefined)
    assert.deepEqual(candidates, ['n2'])
    assert.deepEqual(leftOut, [
      { id: 'full', reason: 'full: 0 of 0 rooms' },
      { id: 'gone', reason: 'drain by li: new kernel' },
      { id: 'n1', reason: 'cordon by anna: disk is full' }
    ])
    assert.equal(next, 'the node n2: the room is bound to no node')
    await setOrder('n2', CORDON)
    assert.match((await explain(newRoom())).next, /^the error 50301 or 50308: .*no node may take a new room$/)
  },

  'explain – a room whose call ended – tells when': async (fixture) => {
    const { registry, first } = await joinTwo(fixture)
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    if (registry.end === undefined) return
    const earliest = Date.now() - fixture.clockSkew
    await registry.end(room)
    const { endedAt = 0, binding } = await operationsOf(fixture).explain(room)
    assert.ok(endedAt >= earliest && endedAt <= Date.now() + fixture.clockSkew, `"endedAt" is ${endedAt}`)
    assert.notEqual(binding?.state, 'claimed')
  },

  'nodes – nodes with and without orders – have a state, and what the record tells': async (fixture) => {
    const { setOrder, nodes } = operationsOf(fixture)
    await fixture.join('cordoned', { zone: 'az1', capacity: 5 })
    await fixture.join('drained')
    await fixture.join('drains', { draining: true })
    await fixture.join('serves')
    await setOrder('cordoned', CORDON)
    await setOrder('drained', DRAIN)
    await setOrder('gone', CORDON)
    const seen = await nodes()
    assert.deepEqual(seen.map(({ id, state, order }) => [id, state, order?.reason]), [
      ['cordoned', 'cordoned', CORDON.reason],
      ['drained', 'draining', DRAIN.reason],
      ['drains', 'draining', undefined],
      ['gone', 'gone', CORDON.reason],
      ['serves', 'serving', undefined]
    ])
    const { wssUrl, zone, capacity, rooms } = seen[0] ?? {}
    assert.deepEqual({ wssUrl, zone, capacity, rooms }, { wssUrl: wssUrlOf('cordoned'), zone: 'az1', capacity: 5, rooms: 0 })
  }
}
