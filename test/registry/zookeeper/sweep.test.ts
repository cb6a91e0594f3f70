import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { ensurePath } from '../../../lib/registry/zookeeper/layout.js'
import { createSweep } from '../../../lib/registry/zookeeper/sweep.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { newRoom } from '../contract.js'
import { assigned, PATIENT, setUpRooms } from './set-up-rooms.js'
import type { Test } from 'tap'
import type { Clock } from '../../../lib/common/clock.js'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'

const LINGER_MS = 20_000
/** Between two ticks of a sweep with such a linger. */
const TICK_MS = 1000
/** How long an ended call is remembered. */
const REMEMBER_MS = 900_000

/** Time that passes only where a test says so; what rings is waited for. */
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

t.test('what a sweep deletes, and what it leaves', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)

  async function setUp (t: Test) {
    const { clock, pass, isIdle } = createSteps()
    const stage = await setUpRooms(t, hosts)
    const random = Math.random
    // The last bucket is the first to be looked at, and ids as late as they can be.
    Math.random = () => 1 - Number.EPSILON
    const sweep = createSweep({ ...stage, lingerMs: LINGER_MS, clock, maxRoomless: 2 })
    Math.random = random
    t.teardown(() => sweep.stop())
    const register = async (member: string) => {
      await ensurePath(stage.client, stage.layout.nodes)
      t.equal(await stage.client.create(stage.layout.nodePath(member), Buffer.alloc(0), PATIENT), 'ok')
    }
    const note = async (binding: Binding, of = stage.key) => {
      const text = await stage.write(binding, of)
      sweep.note(of, text, binding)
      return text
    }
    return { ...stage, sweep, pass, isIdle, register, note }
  }

  t.test('a room that nobody asks for goes after the linger, and not sooner', async (t) => {
    const { pass, note, textOf, isIdle } = await setUp(t)
    const text = await note(assigned)
    await pass(LINGER_MS - 1)
    t.equal(await textOf(), text)
    await pass(TICK_MS)
    t.equal(await textOf(), undefined)
    t.ok(isIdle(), 'nothing is left to be done')
  })

  t.test('a room that is asked for again lingers from then on', async (t) => {
    const { pass, note, textOf } = await setUp(t)
    await note(assigned)
    await pass(LINGER_MS - TICK_MS)
    const text = await note(assigned)
    await pass(LINGER_MS - TICK_MS)
    t.equal(await textOf(), text)
    await pass(2 * TICK_MS)
    t.equal(await textOf(), undefined)
  })

  t.test('a room that another gateway was asked for is left to it', async (t) => {
    const { pass, note, write, makeAnew, textOf } = await setUp(t)
    await note(assigned)
    const text = await write(assigned)
    await pass(3 * LINGER_MS)
    t.equal(await textOf(), text)
    await note(assigned)
    const anew = await makeAnew(assigned)
    await pass(3 * LINGER_MS)
    t.equal(await textOf(), anew, 'also where it was deleted and made anew meanwhile, with the same version')
  })

  t.test('a claimed room stays for as long as its node lives', async (t) => {
    const { client, layout, pass, note, textOf, register } = await setUp(t)
    const claimed: Binding = { ...assigned, state: 'claimed', claims: 1 }
    await register(assigned.member)
    const text = await note(claimed)
    await pass(3 * LINGER_MS)
    t.equal(await textOf(), text)
    await note(claimed)
    await client.remove(layout.nodePath(assigned.member), PATIENT)
    await pass(LINGER_MS - 1)
    t.not(await textOf(), undefined, 'its node may come back, and claim it again')
    await pass(TICK_MS)
    t.equal(await textOf(), undefined)
  })

  t.test('that the last client left, or the call ended, does not keep a room', async (t) => {
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
    t.type(await textOf(ended), 'string', 'nodes that were away hear of the end of a call for some minutes')
    t.type(await textOf(unbound), 'string')
    await pass(2 * TICK_MS)
    t.strictSame([await textOf(ended), await textOf(unbound)], [undefined, undefined])
  })

  t.test('ends of calls without a room – more than are remembered – the oldest go, and no end of a call that had one', async (t) => {
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

  t.test('rooms that others left behind are found by the round', async (t) => {
    const { sweep, pass, write, textOf } = await setUp(t)
    // Two buckets apart: the round begins with the last, and goes on with the first.
    const keys = ['__', 'AA', 'AC'].map((bucket) => `${bucket}${'x'.repeat(41)}`)
    const [last = '', first = '', far = ''] = keys
    for (const key of keys) await write(assigned, key)
    await pass(3 * LINGER_MS)
    t.type(await textOf(last), 'string', 'nobody looks before it begins')
    sweep.startRound()
    await pass(2 * TICK_MS + LINGER_MS - 1)
    t.equal(await textOf(last), undefined)
    t.type(await textOf(first), 'string', 'seen a second later, so it goes a second later')
    await pass(TICK_MS)
    t.equal(await textOf(first), undefined)
    t.type(await textOf(far), 'string')
    await pass(2 * TICK_MS)
    t.equal(await textOf(far), undefined)
  })

  t.test('a room that cannot be read is left, and costs no other', async (t) => {
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

  t.test('ids of nodes that never came back go, and those of nodes that live or did come back stay', async (t) => {
    const { client, layout, sweep, pass, register } = await setUp(t)
    const ids = { lives: 'i1', gone: 'i2', '..': 'i3' }
    await ensurePath(client, layout.ids)
    for (const [id, incarnation] of Object.entries(ids)) {
      t.equal(await client.create(layout.idPath(id), Buffer.from(incarnation), PATIENT), 'ok')
    }
    await register('lives|i1')
    const left = async () => (await client.children(layout.ids, PATIENT))?.sort()
    sweep.startRound()
    // Seen away after a minute. A registration that was not heard is sent again, and would bring a dead one to life.
    await pass(170_000)
    t.equal((await left())?.length, 3)
    await pass(75_000)
    t.strictSame(await left(), ['lives~'])
  })
})
