import assert from 'node:assert/strict'
import { elapse } from '../pace.js'
import { notOn } from '../registry/lingering.js'
import { newRoom } from '../rooms.js'
import type { Membership, Registry, RoomKey } from '../../../../types/registry.js'
import type { RegistryFixture } from '../registry/fixture.js'
import type { Sentences } from '../sentences.js'

/** More ends than one answer of a store holds. */
const MANY = 1200
const AT_ONCE = 50
/** Milliseconds within which an event that must not come would have come. */
const LATE_MS = 500

/** `end` of the registry: the call ended. */
export const ENDED_CALLS: Sentences<RegistryFixture> = {
  'end – a claimed room – its node is told': async (fixture) => {
    const { room, told } = await endCall(fixture)
    assert.deepEqual(told, [room])
  },

  'end – a claimed room – is not held any more': async (fixture) => {
    const { member, room } = await endCall(fixture)
    assert.equal(member.holds(room), false)
  },

  'end – a claimed room – its node knows when the call ended': async (fixture) => {
    const { member, room, claimedAt } = await endCall(fixture)
    assert.ok(Number(member.endedAt(room)) >= claimedAt, `${member.endedAt(room)}, claimed at ${claimedAt}`)
    assert.equal(member.endedAt(newRoom()), undefined, 'a call that did not end')
  },

  'end – a signature from before – does not open the room': async (fixture) => {
    const { member, room, claimedAt } = await endCall(fixture)
    assert.equal(await member.claim(room, { issuedAt: toSeconds(claimedAt) }), 'ended')
  },

  'end – a later signature – opens the room, and one from before does not': async (fixture) => {
    const { member, room, claimedAt, told } = await endCall(fixture)
    await untilNextSecond(fixture, member)
    assert.equal(await member.claim(room, { issuedAt: toSeconds(member.now()) }), 'ok')
    assert.equal(await member.claim(room, { issuedAt: toSeconds(claimedAt) }), 'ended', 'one from before')
    assert.equal(member.holds(room), true)
    await elapse(LATE_MS)
    assert.equal(told.length, 1, 'times that the node was told')
  },

  'end – the binding – lingers': async (fixture) => {
    const { room } = await endCall(fixture)
    await fixture.join('n2')
    assert.equal((await fixture.registry.assign(room, notOn('n1'))).node.id, 'n1')
  },

  'end – a room that is not bound – resolves': async ({ registry, join }) => {
    await join('n1')
    await end(registry, newRoom())
  },

  'end – an assigned room that its node has not claimed – signatures from before do not open it': async (fixture) => {
    const { registry, join } = fixture
    const member = await join('n1')
    const room = newRoom()
    const { issuedAt } = await registry.assign(room)
    await end(registry, room)
    await end(registry, room)
    assert.equal(await member.claim(room, { issuedAt: toSeconds(issuedAt) }), 'ended')
    assert.equal(member.holds(room), false)
  },

  'end – many calls of one node at once – the node is told of each': async ({ registry, join, until }) => {
    const member = await join('n1')
    const rooms = Array.from({ length: MANY }, () => newRoom())
    const told = new Set<string>()
    member.on('ended', ({ room }) => told.add(room))
    await inBatches(rooms, async (room) => assert.equal(await member.claim(room), 'ok'))
    await inBatches(rooms, async (room) => await end(registry, room))
    await until(`the node is told of ${MANY} calls`, () => told.size === MANY || told.size)
    assert.deepEqual(rooms.filter((room) => member.holds(room)), [])
  }
}

/** Joins a single node with a room, ends the call, and waits until the node knows. */
async function endCall ({ registry, join, until }: RegistryFixture) {
  const member = await join('n1')
  const room = newRoom()
  const told: RoomKey[] = []
  member.on('ended', ({ tenant, room }) => { told.push({ tenant, room }) })
  const claimedAt = Math.floor(member.now() / 1000) * 1000
  assert.equal(await member.claim(room, { issuedAt: toSeconds(claimedAt) }), 'ok')
  await end(registry, room)
  await until('the node is told', () => told.length > 0)
  return { member, room, told, claimedAt }
}

async function end (registry: Registry, room: RoomKey): Promise<void> {
  if (registry.end === undefined) assert.fail('the registry has no "end": see the option "endsCalls"')
  await registry.end(room)
}

const toSeconds = (ms: number) => Math.floor(ms / 1000)

/** Waits for the next second, since signatures are dated in whole seconds: one of this second counts as earlier. */
async function untilNextSecond ({ until }: RegistryFixture, member: Membership): Promise<void> {
  const last = toSeconds(member.now())
  await until('the next second begins', () => toSeconds(member.now()) > last)
}

async function inBatches (rooms: RoomKey[], work: (room: RoomKey) => Promise<void>): Promise<void> {
  for (let at = 0; at < rooms.length; at += AT_ONCE) await Promise.all(rooms.slice(at, at + AT_ONCE).map(work))
}
