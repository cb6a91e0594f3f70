import assert from 'node:assert/strict'
import { show } from '../broken.js'
import { assertNoLiveNode } from '../registry/assigning.js'
import { assignMany, idsOf, newRoom, nodeOf, nodeRecord } from '../rooms.js'
import type { NodeRecord } from '../../../../types/registry.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

const BAD_RECORDS: Array<[field: string, record: unknown]> = [
  ['id', nodeRecord('n 1')],
  ['id', { wssUrl: 'wss://n1.example/' }],
  ['id', null],
  ['wssUrl', { id: 'n1' }],
  ['wssUrl', nodeRecord('n1', { wssUrl: 'https://n1.example/' })],
  ['wssUrlOut', nodeRecord('n1', { wssUrlOut: 'wss://u:p@n1.example/' })],
  ['weight', nodeRecord('n1', { weight: 0 })],
  ['zone', nodeRecord('n1', { zone: '' })],
  ['capacity', nodeRecord('n1', { capacity: 1.5 })]
]

export const JOINING: Sentences<RegistryFixture> = {
  'join – a record that is not valid – rejects with a TypeError that names the field': async (fixture) => {
    for (const [field, record] of BAD_RECORDS) {
      // A program without types may pass anything.
      const error = await fixture.rejection(async () => await fixture.impatient.nodes.join(record as NodeRecord))
      const isExpected = error instanceof TypeError && error.message.includes(`"${field}"`)
      assert.ok(isExpected, `${show(record)} rejects with ${show(error)}, expected a TypeError that names "${field}"`)
    }
  },

  'join – a valid record – is a live membership with its id': async ({ join }) => {
    const member = await join('n1')
    assert.equal(member.id, 'n1')
    assert.equal(member.valid(), true)
  },

  'join – again after the node left – has an incarnation of its own': async ({ registry, join }) => {
    const first = await join('n1')
    const before = first.incarnation
    await first.leave()
    const again = await join('n1')
    assert.notEqual(again.incarnation, before)
    assert.equal((await registry.assign(newRoom())).node.incarnation, again.incarnation)
    assert.equal(first.valid(), false, 'the membership that left is valid')
  },

  'now – a member – knows the clock of the store': async ({ join, clockSkew }) => {
    const member = await join('n1')
    const earliest = Date.now() - clockSkew
    const now = member.now()
    assert.ok(now >= earliest && now <= Date.now() + clockSkew, `"now" is ${now}, the tests have ${Date.now()}`)
  },

  'drain – a node – gets no new rooms': async (fixture) => {
    await drainFirst(fixture)
    assert.deepEqual(idsOf(await assignMany(fixture.registry, 20)), ['n2'])
  },

  'drain – a node – keeps its rooms': async (fixture) => {
    const { room, first } = await drainFirst(fixture)
    assert.equal(await nodeOf(fixture.registry, room), 'n1')
    assert.equal(first.holds(room), true)
  },

  'undrain – a draining node – gets new rooms again': async (fixture) => {
    const { first, second } = await drainFirst(fixture)
    await second.drain()
    await first.undrain()
    await fixture.untilShown('"nodes" shows that only the other drains',
      (nodes) => nodes.length === 2 && nodes.every(({ id, draining }) => draining === (id === 'n2')))
    assert.deepEqual(idsOf(await assignMany(fixture.registry, 20)), ['n1'])
  },

  'leave – the assigned rooms of the node – go to another one': async ({ registry, join }) => {
    const first = await join('n1')
    const room = newRoom()
    assert.equal(await nodeOf(registry, room), 'n1')
    await join('n2')
    await first.leave()
    assert.equal(await nodeOf(registry, room), 'n2')
  },

  'leave – the claimed rooms of the node – may be claimed by another one': async ({ join }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    const room = newRoom()
    assert.equal(await first.claim(room), 'ok')
    await first.leave()
    assert.equal(await second.claim(room), 'ok')
  },

  'leave – the membership – is not valid, holds nothing and claims nothing': async ({ join }) => {
    const member = await join('n1')
    const room = newRoom()
    assert.equal(await member.claim(room), 'ok')
    await member.leave()
    assert.equal(member.valid(), false, 'valid')
    assert.equal(member.holds(room), false, 'holds')
    assert.equal(await member.claim(newRoom()), 'lapsed', 'claim')
  },

  'leave – a node that left already – does nothing': async ({ join }) => {
    const member = await join('n1')
    await member.leave()
    await member.leave()
    assert.equal(member.valid(), false)
  },

  'leave – the last node – leaves no live node': async ({ registry, join, rejection }) => {
    const member = await join('n1')
    const room = newRoom()
    await registry.assign(room)
    await member.leave()
    assertNoLiveNode(await rejection(async () => await registry.assign(room)))
  }
}

/** Two nodes, of which the first has a room and drains. */
async function drainFirst ({ join, untilShown }: RegistryFixture) {
  const [first, second] = [await join('n1'), await join('n2')]
  const room = newRoom()
  assert.equal(await first.claim(room), 'ok')
  await first.drain()
  await untilShown('"nodes" shows two, and that the first drains',
    (nodes) => nodes.length === 2 && nodes.every(({ id, draining }) => draining === (id === 'n1')))
  return { first, second, room }
}
