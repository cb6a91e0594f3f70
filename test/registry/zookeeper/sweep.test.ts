import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { ensurePath } from '../../../lib/registry/zookeeper/layout.js'
import { createSweep } from '../../../lib/registry/zookeeper/sweep.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { newRoom } from '../../../lib/testing/contracts/rooms.js'
import { assigned, PATIENT, setUpRooms } from './set-up-rooms.js'
import type { Test } from 'tap'
import type { Clock } from '../../../lib/common/clock.js'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'

const LINGER_MS = 20_000
/** Time between two ticks of a sweep with such a linger. */
const TICK_MS = 1000
/** Time for which an ended call is remembered. */
const REMEMBER_MS = 900_000

/** Clock that a test advances; the work of a fired timer is awaited. */
function createSteps () {
  let now = 0
  let next: { at: number, ring: () => void | Promise<void> } | undefined
  const clock: Clock = {
    ...systemClock,
    monotonic: () => now,
    after (ms, ring) {
      next = { at: now + ms, ring }
      return () => { next = undefined }
    }
  }
  async function pass (ms: number): Promise<void> {
    const until = now + ms
    while (next !== undefined && next.at <= until) {
      const { at, ring } = next
      now = at
      next = undefined
      await ring()
    }
    now = until
  }
  return { clock, pass, isIdle: () => next === undefined }
}

t.test('deletions of a sweep', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)

  async function setUp (t: Test) {
    const { clock, pass, isIdle } = createSteps()
    const rooms = await setUpRooms(t, hosts)
    const random = Math.random
    // The sweep visits the last bucket first, so the ids are as late as possible.
    Math.random = () => 1 - Number.EPSILON
    const sweep = createSweep({ ...rooms, lingerMs: LINGER_MS, clock, maxRoomless: 2 })
    Math.random = random
    t.teardown(() => sweep.stop())
    const register = async (member: string) => {
      await ensurePath(rooms.client, rooms.layout.nodes)
      t.equal(await rooms.client.create(rooms.layout.nodePath(member), Buffer.alloc(0), PATIENT), 'ok')
    }
    const note = async (binding: Binding, of = rooms.key) => {
      const text = await rooms.write(binding, of)
      sweep.note(of, text, binding)
      return text
    }
    return { ...rooms, sweep, pass, isIdle, register, note }
  }

  t.test('a room that is not requested – is deleted after the linger, and not sooner', async (t) => {
    const { pass, note, textOf, isIdle } = await setUp(t)
    const text = await note(assigned)
    await pass(LINGER_MS - 1)
    t.equal(await textOf(), text)
    await pass(TICK_MS)
    t.equal(await textOf(), undefined)
    t.ok(isIdle(), 'no work is left')
  })

  t.test('a room requested again – lingers from then on', async (t) => {
    const { pass, note, textOf } = await setUp(t)
    await note(assigned)
    await pass(LINGER_MS - TICK_MS)
    const text = await note(assigned)
    await pass(LINGER_MS - TICK_MS)
    t.equal(await textOf(), text)
    await pass(2 * TICK_MS)
    t.equal(await textOf(), undefined)
  })

  t.test('a room requested from another gateway – is left to that gateway', async (t) => {
    const { pass, note, write, recreate, textOf } = await setUp(t)
    await note(assigned)
    const text = await write(assigned)
    await pass(3 * LINGER_MS)
    t.equal(await textOf(), text)
    await note(assigned)
    const recreated = await recreate(assigned)
    await pass(3 * LINGER_MS)
    t.equal(await textOf(), recreated, 'a room created again with the same version stays')
  })

  t.test('a claimed room – stays for as long as its node lives', async (t) => {
    const { client, layout, pass, note, textOf, register } = await setUp(t)
    const claimed: Binding = { ...assigned, state: 'claimed', claims: 1 }
    await register(assigned.member)
    const text = await note(claimed)
    await pass(3 * LINGER_MS)
    t.equal(await textOf(), text)
    await note(claimed)
    await client.remove(layout.nodePath(assigned.member), PATIENT)
    await pass(LINGER_MS - 1)
    t.not(await textOf(), undefined, 'its node may come back and claim it again')
    await pass(TICK_MS)
    t.equal(await textOf(), undefined)
  })

  t.test('a release or the end of the call – does not keep a room', async (t) => {
    const { layout, pass, note, textOf, register } = await setUp(t)
    await register(assigned.member)
    const keys = [newRoom(), newRoom(), newRoom()].map(layout.roomKey)
    const [left = '', ended = '', unbound = ''] = keys
    await note({ ...assigned, state: 'released' }, left)
    await note({ ...assigned, state: 'released', endedAt: 1 }, ended)
    await note({ member: undefined, state: 'ended', claims: 0, endedAt: 1 }, unbound)
    await pass(LINGER_MS + TICK_MS)
    t.equal(await textOf(left), undefined)
    await pass(REMEMBER_MS - LINGER_MS - 2 * TICK_MS)
    t.type(await textOf(ended), 'string', 'returning nodes can learn of the end for some minutes')
    t.type(await textOf(unbound), 'string')
    await pass(2 * TICK_MS)
    t.strictSame([await textOf(ended), await textOf(unbound)], [undefined, undefined])
  })

  t.test('ends of calls without a room – more than are remembered – the oldest are dropped, and no end with a room', async (t) => {
    const { layout, pass, note, textOf } = await setUp(t)
    const [withRoom = '', ...roomless] = Array.from({ length: 5 }, () => layout.roomKey(newRoom()))
    await note({ ...assigned, state: 'released', endedAt: 1 }, withRoom)
    for (const key of roomless) await note({ member: undefined, state: 'ended', claims: 0, endedAt: 1 }, key)
    await pass(2 * TICK_MS)
    const kept = await Promise.all([withRoom, ...roomless].map(async (key) => await textOf(key) !== undefined))
    t.strictSame(kept, [true, false, false, true, true])
    await pass(REMEMBER_MS)
    t.equal(await textOf(roomless.at(-1)), undefined)
  })

  t.test('rooms left behind by other gateways – are found by the round', async (t) => {
    const { sweep, pass, write, textOf } = await setUp(t)
    // The buckets are adjacent for the round, which begins with the last and goes on with the first.
    const keys = ['__', 'AA', 'AC'].map((bucket) => `${bucket}${'x'.repeat(41)}`)
    const [last = '', first = '', far = ''] = keys
    for (const key of keys) await write(assigned, key)
    await pass(3 * LINGER_MS)
    t.type(await textOf(last), 'string', 'no check before the round begins')
    sweep.startRound()
    await pass(2 * TICK_MS + LINGER_MS - 1)
    t.equal(await textOf(last), undefined)
    t.type(await textOf(first), 'string', 'visited a second later, so deleted a second later')
    await pass(TICK_MS)
    t.equal(await textOf(first), undefined)
    t.type(await textOf(far), 'string')
    await pass(2 * TICK_MS)
    t.equal(await textOf(far), undefined)
  })

  t.test('an unreadable room – is left, and affects no other', async (t) => {
    const { client, layout, sweep, pass, write, textOf } = await setUp(t)
    const [spoilt, good] = ['a', 'b'].map((end) => `__${'x'.repeat(40)}${end}`)
    await write(assigned, spoilt)
    await client.multi([{ type: 'set', path: layout.roomPath(spoilt ?? ''), data: Buffer.from('garbage') }], PATIENT)
    await write(assigned, good)
    sweep.startRound()
    await pass(2 * TICK_MS + LINGER_MS)
    t.equal(await textOf(good), undefined)
    t.ok(await client.exists(layout.roomPath(spoilt ?? ''), PATIENT))
  })

  t.test('ids of nodes that never came back – are deleted, and those of live and returned nodes stay', async (t) => {
    const { client, layout, sweep, pass, register } = await setUp(t)
    const ids = { lives: 'i1', gone: 'i2', '..': 'i3' }
    await ensurePath(client, layout.ids)
    for (const [id, incarnation] of Object.entries(ids)) {
      t.equal(await client.create(layout.idPath(id), Buffer.from(incarnation), PATIENT), 'ok')
    }
    await register('lives|i1')
    const left = async () => (await client.children(layout.ids, PATIENT))?.sort()
    sweep.startRound()
    // A node counts as absent after a minute. An unanswered registration is sent again, and would revive a dead node.
    await pass(170_000)
    t.equal((await left())?.length, 3)
    await pass(75_000)
    t.strictSame(await left(), ['lives~'])
  })
})
