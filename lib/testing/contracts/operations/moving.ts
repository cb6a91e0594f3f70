import assert from 'node:assert/strict'
import { show } from '../broken.js'
import { newRoom, nodeOf } from '../rooms.js'
import { joinTwo, operationsOf } from './two-nodes.js'
import { RegistrySettlingError } from '../../../errors.js'
import type { NewRoomMove } from '../../../../types/operations.js'
import type { Membership, RoomKey } from '../../../../types/registry.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

const WHY = { reason: 'the picture freezes', author: 'anna' }

const BAD_MOVES: Array<[field: string, move: unknown]> = [
  ['to', { ...WHY, to: 'n 2' }],
  ['reason', { ...WHY, reason: '' }],
  ['reason', { author: 'anna' }],
  ['author', { ...WHY, author: 'two\nlines' }],
  ['from', { ...WHY, from: 'n1' }]
]

export const MOVING: Sentences<RegistryFixture> = {
  'move – a claimed room – its node is told, and holds it no more': async (fixture) => {
    const { room, first, told } = await claimedByFirst(fixture)
    const { outcome, from } = await operationsOf(fixture).move(room, WHY)
    assert.equal(from, 'n1')
    assert.notEqual(outcome, 'unbound')
    await fixture.until('the node is told', () => told.length > 0)
    assert.deepEqual(told, [room])
    assert.equal(first.holds(room), false)
  },

  'move – a claimed room – the next caller gets another node, and that one the room': async (fixture) => {
    const { room, second } = await claimedByFirst(fixture)
    await operationsOf(fixture).move(room, WHY)
    const { node, issuedAt } = await assignedAnew(fixture, room)
    assert.equal(node.id, 'n2')
    assert.equal(await second.claim(room, { issuedAt: Math.floor(issuedAt / 1000) }), 'ok')
    assert.equal(await nodeOf(fixture.registry, room), 'n2')
  },

  'move – a claimed room – no caller gets another node while the first one holds the room': async (fixture) => {
    const { room, first } = await claimedByFirst(fixture)
    await operationsOf(fixture).move(room, WHY)
    await fixture.until('the next caller gets a node', async () => {
      const answer = await answerOf(fixture, room)
      assert.ok(answer === 'settling' || !first.holds(room), 'another node while the first one holds the room')
      return answer === 'n2' || answer
    })
  },

  'move – a claimed room – signatures from before do not open it on the node that it left': async (fixture) => {
    const { room, first, claimedAt } = await claimedByFirst(fixture)
    await operationsOf(fixture).move(room, WHY)
    await assignedAnew(fixture, room)
    const result = await first.claim(room, { issuedAt: claimedAt })
    assert.ok(result === 'ended' || result === 'elsewhere', show(result))
  },

  'move – a room that its node has not claimed – the next caller gets another node': async (fixture) => {
    const { registry } = await joinTwo(fixture)
    const room = newRoom()
    const from = await nodeOf(registry, room)
    assert.equal((await operationsOf(fixture).move(room, WHY)).from, from)
    assert.notEqual((await assignedAnew(fixture, room)).node.id, from)
  },

  'move – to a node – the next caller gets that one': async (fixture) => {
    const { room } = await claimedByFirst(fixture)
    for (const id of ['n3', 'n4', 'n5']) await fixture.join(id)
    await fixture.untilShown('"nodes" shows five', (nodes) => nodes.length === 5)
    await operationsOf(fixture).move(room, { ...WHY, to: 'n4' })
    assert.equal((await assignedAnew(fixture, room)).node.id, 'n4')
  },

  'move – to a node that leaves meanwhile – the next caller gets another one': async (fixture) => {
    const { room } = await claimedByFirst(fixture)
    const third = await fixture.join('n3')
    await fixture.untilShown('"nodes" shows three', (nodes) => nodes.length === 3)
    await operationsOf(fixture).move(room, { ...WHY, to: 'n3' })
    await third.leave()
    assert.equal((await assignedAnew(fixture, room)).node.id, 'n2')
  },

  'move – there and back – the room is on its first node again': async (fixture) => {
    const { room, first } = await claimedByFirst(fixture)
    const { move } = operationsOf(fixture)
    await move(room, WHY)
    await assignedAnew(fixture, room)
    await move(room, WHY)
    const { node } = await assignedAnew(fixture, room)
    assert.equal(node.id, 'n1')
    assert.equal(await first.claim(room), 'ok')
    assert.equal(first.holds(room), true)
  },

  'move – twice – the later target counts': async (fixture) => {
    const { room } = await claimedByFirst(fixture)
    await fixture.join('n3')
    await fixture.untilShown('"nodes" shows three', (nodes) => nodes.length === 3)
    const { move } = operationsOf(fixture)
    await move(room, { ...WHY, to: 'n2' })
    await move(room, { ...WHY, to: 'n3' })
    assert.equal((await assignedAnew(fixture, room)).node.id, 'n3')
  },

  'move – the node leaves meanwhile – the next caller gets another one': async (fixture) => {
    const { room, first } = await claimedByFirst(fixture)
    await operationsOf(fixture).move(room, WHY)
    await first.leave()
    assert.equal((await assignedAnew(fixture, room)).node.id, 'n2')
  },

  'move – a room that is bound to no node – tells so': async (fixture) => {
    await joinTwo(fixture)
    assert.deepEqual(await operationsOf(fixture).move(newRoom(), WHY), { outcome: 'unbound' })
  },

  'move – to a node that may take no room – rejects with the reason, and the room stays': async (fixture) => {
    const { room, first } = await claimedByFirst(fixture)
    await operationsOf(fixture).setOrder('n2', { kind: 'cordon', ...WHY })
    const refusals = [
      ['n1', 'already'], ['n2', 'cordon by anna'], ['n3', 'not registered'], [undefined, 'no node but n1']
    ] as const
    for (const [to, reason] of refusals) {
      const error = await fixture.rejection(async () => await operationsOf(fixture).move(room, { ...WHY, to }))
      assert.ok(error instanceof TypeError && error.message.includes(reason), `to ${to}: ${show(error)}`)
    }
    assert.equal(first.holds(room), true)
    assert.equal(await nodeOf(fixture.registry, room), 'n1')
  },

  'move – a move that is not valid – rejects with a TypeError that names the field': async (fixture) => {
    const { room } = await claimedByFirst(fixture)
    for (const [field, move] of BAD_MOVES) {
      // A program without types may pass anything.
      const error = await fixture.rejection(async () => await operationsOf(fixture).move(room, move as NewRoomMove))
      const isExpected = error instanceof TypeError && error.message.includes(`"${field}"`)
      assert.ok(isExpected, `${show(move)} rejects with ${show(error)}, expected a TypeError that names "${field}"`)
    }
  },

  'end – a room that moves – still moves': async (fixture) => {
    const { room } = await claimedByFirst(fixture)
    await operationsOf(fixture).move(room, WHY)
    if (fixture.registry.end === undefined) return
    await fixture.registry.end(room)
    assert.equal((await assignedAnew(fixture, room)).node.id, 'n2')
  },

  'explain – a room that an operator moved – tells so, and what the next caller gets': async (fixture) => {
    const { room } = await claimedByFirst(fixture)
    const { move, explain } = operationsOf(fixture)
    await move(room, { ...WHY, to: 'n2' })
    await fixture.until('the node gave the room up', async () => {
      const { binding, next } = await explain(room)
      assert.deepEqual([binding?.node, binding?.target], ['n1', 'n2'])
      if (binding?.state === 'moving') assert.match(next, /^the error 50303: the room leaves n1/)
      return binding?.state === 'moved' || binding?.state
    })
    assert.equal((await explain(room)).next, 'the node n2: an operator moved the room away from n1')
    await assignedAnew(fixture, room)
    const { binding } = await explain(room)
    assert.deepEqual([binding?.node, binding?.state, binding?.target], ['n2', 'assigned', undefined])
  }
}

/** Two nodes, and a room that the first one claimed. */
async function claimedByFirst (fixture: RegistryFixture) {
  const { first, second } = await joinTwo(fixture)
  const room = newRoom()
  const told: RoomKey[] = []
  first.on('ended', (ended) => { told.push({ tenant: ended.tenant, room: ended.room }) })
  const claimedAt = secondsOf(first)
  assert.equal(await first.claim(room, { issuedAt: claimedAt }), 'ok')
  return { room, first, second, told, claimedAt }
}

const secondsOf = (member: Membership) => Math.floor(member.now() / 1000)

/** Asks until the registry names a node. */
async function assignedAnew (fixture: RegistryFixture, room: RoomKey) {
  await fixture.until('the next caller gets a node', async () => {
    const answer = await answerOf(fixture, room)
    return answer !== 'settling' || answer
  })
  return await fixture.registry.assign(room)
}

/** The id of the node, or `settling`. */
async function answerOf ({ impatient }: RegistryFixture, room: RoomKey): Promise<string> {
  try {
    return await nodeOf(impatient.registry, room)
  } catch (error) {
    if (error instanceof RegistrySettlingError) return 'settling'
    throw error
  }
}
