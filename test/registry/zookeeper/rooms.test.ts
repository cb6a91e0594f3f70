import fc from 'fast-check'
import t from 'tap'
import { systemClock } from '../../../lib/clock.js'
import { parseBinding, toText } from '../../../lib/registry/zookeeper/binding.js'
import { BUCKETS, bucketOf, createLayout, ensurePath } from '../../../lib/registry/zookeeper/layout.js'
import { createRooms } from '../../../lib/registry/zookeeper/rooms.js'
import { createSweep } from '../../../lib/registry/zookeeper/sweep.js'
import { connectClient } from '../../support/zookeeper-client.js'
import { newRoot } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { newRoom } from '../contract.js'
import type { Test } from 'tap'
import type { Clock } from '../../../lib/clock.js'
import type { Binding } from '../../../lib/registry/zookeeper/binding.js'
import type { ZooKeeperClient } from '../../../lib/registry/zookeeper-client/client.js'
import type { RoomState } from '../../../lib/registry/zookeeper/rooms.js'

const LINGER_MS = 20_000
/** Between two ticks of a sweep with such a linger. */
const TICK_MS = 1000
/** How long an ended call is remembered. */
const REMEMBER_MS = 900_000
const PATIENT = { ms: 5000 }

const assigned: Binding & { member: string } = { member: 'n1|first', state: 'assigned', claims: 0, endedAt: 0 }
const other = { ...assigned, member: 'n2|second' }

const nothing = Buffer.alloc(0)
const name = fc.stringMatching(/^[\w.:-]{1,64}$/)
const binding: fc.Arbitrary<Binding> = fc.record({
  member: fc.option(fc.tuple(name, name).map((names) => names.join('|')), { nil: undefined }),
  state: fc.constantFrom('assigned', 'claimed', 'released', 'ended'),
  claims: fc.maxSafeNat(),
  endedAt: fc.maxSafeNat()
}, { noNullPrototype: true })

t.test('what is written of a room is read again, and no two writes are alike', async (t) => {
  fc.assert(fc.property(binding, (given) => {
    const text = toText(given)
    t.strictSame(parseBinding(text), given)
    t.not(toText(given), text)
  }), { numRuns: 200 })
})

t.test('what cannot be read is never taken for a room that is not bound', async (t) => {
  fc.assert(fc.property(binding, fc.nat(5), (given, field) => {
    const fields = toText(given).split('|')
    t.throws(() => parseBinding(fields.toSpliced(field, 1).join('|')), TypeError)
    t.throws(() => parseBinding(fields.toSpliced(field, 1, '|').join('|')), TypeError)
  }), { numRuns: 50 })
  for (const text of [
    '', '|', '{}', 'null', 'garbage', 'n1|i|open|0|0|w', 'n1|i|claimed|-1|0|w', 'n1|i|claimed|1.5|0|w', 'n1|i|claimed|0|0|',
    'n1|i|claimed|0|0|w|w', '|i|claimed|0|0|w', 'n1||claimed|0|0|w', 'n1|i|claimed|0|0|w\n', '\nn1|i|claimed|0|0|\u0000'
  ]) t.throws(() => parseBinding(text), TypeError, JSON.stringify(text))
})

t.test('every room has a bucket that is looked at', async (t) => {
  const layout = createLayout('/x')
  t.equal(new Set(BUCKETS).size, 64 * 64)
  const used = Array.from({ length: 1000 }, () => bucketOf(layout.roomKey(newRoom())))
  t.strictSame(used.filter((bucket) => !BUCKETS.includes(bucket)), [])
})

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

t.test('rooms on one server', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)

  async function setUp (t: Test) {
    const layout = createLayout(newRoot())
    const { client } = await connectClient(t, server.hosts, { sessionTimeout: 10_000 })
    const rooms = createRooms(client, layout)
    const key = layout.roomKey(newRoom())
    const read = async (of = key) => await rooms.read(of, PATIENT)
    const done = async (ops: Parameters<ZooKeeperClient['multi']>[0]) =>
      await client.multi(ops, PATIENT) === undefined
    /** As a gateway does. */
    async function write (binding: Binding, of = key): Promise<string> {
      const { ops, text } = rooms.write(await read(of), binding)
      t.ok(await done(ops))
      return text
    }
    const makeAnew = async (binding: Binding = other) => {
      t.ok(await done(rooms.remove(await read())))
      return await write(binding)
    }
    const textOf = async (of = key) => (await read(of)).text
    return { layout, client, rooms, key, read, done, write, makeAnew, textOf }
  }

  t.test('a room is made, written, checked and deleted as it was read', async (t) => {
    const { rooms, key, read, done, write, textOf } = await setUp(t)
    const absent = await read()
    t.strictSame(absent, { key, bucketVersion: 0 })
    const text = await write(assigned)
    const made = await read()
    t.strictSame(made, { key, bucketVersion: 0, version: 0, text, binding: assigned })
    t.notOk(await done(rooms.write(absent, other).ops), 'whoever saw no room makes none over it')
    t.ok(await done(rooms.check(made)))
    const later = await write(other)
    for (const ops of [rooms.check(made), rooms.write(made, assigned).ops, rooms.remove(made)]) {
      t.notOk(await done(ops), 'whoever saw it before changes nothing')
    }
    t.equal(await textOf(), later)
    t.ok(await done(rooms.remove(await read())))
    t.strictSame(await read(), { key, bucketVersion: 1 })
  })

  const steps = {
    check: ({ check }: ReturnType<typeof createRooms>, room: RoomState) => check(room),
    write: ({ write }: ReturnType<typeof createRooms>, room: RoomState) => write(room, assigned).ops,
    remove: ({ remove }: ReturnType<typeof createRooms>, room: RoomState) => remove(room)
  }
  for (const [step, opsOf] of Object.entries(steps)) {
    t.test(`a room that was deleted and made anew since it was read: no ${step}`, async (t) => {
      const { layout, rooms, key, read, done, write, makeAnew, textOf } = await setUp(t)
      await write(assigned)
      const before = await read()
      const text = await makeAnew()
      t.equal((await read()).version, before.version, 'its own version tells nothing')
      const ops = opsOf(rooms, before)
      t.notOk(await done(ops))
      t.equal(await textOf(), text, 'it is as the other left it')
      const bucket = layout.bucketPath(bucketOf(key))
      t.ok(await done(ops.filter(({ path }) => path !== bucket)), 'which only the bucket prevents')
    })
  }

  t.test('a room that is deleted and made anew between the two looks of one reading is not relied on', async (t) => {
    const { layout, client, rooms, key, read, done, write, makeAnew } = await setUp(t)
    await write(assigned)
    let isSecond = false
    let first: Promise<unknown> = Promise.resolve()
    const inTurn = async <T>(look: () => Promise<T>): Promise<T> => {
      if (isSecond) {
        await first
        await makeAnew()
        return await look()
      }
      isSecond = true
      const found = look()
      first = found
      return await found
    }
    const slow = createRooms({
      ...client,
      exists: async (path) => await inTurn(async () => await client.exists(path, PATIENT)),
      get: async (path) => await inTurn(async () => await client.get(path, PATIENT))
    }, layout)
    const torn = await slow.read(key)
    t.strictSame(torn.binding, other)
    for (const ops of [rooms.check(torn), rooms.write(torn, assigned).ops, rooms.remove(torn)]) t.notOk(await done(ops))
    t.strictSame((await read()).binding, other)
  })

  t.test('sweep', async (t) => {
    async function setUpSweep (t: Test) {
      const { clock, pass, isIdle } = createSteps()
      const stage = await setUp(t)
      const random = Math.random
      // The last bucket is the first to be looked at, and ids as late as they can be.
      Math.random = () => 1 - Number.EPSILON
      const sweep = createSweep({ ...stage, lingerMs: LINGER_MS, clock })
      Math.random = random
      t.teardown(() => sweep.stop())
      const register = async (member: string) => {
        await ensurePath(stage.client, stage.layout.nodes)
        t.equal(await stage.client.create(stage.layout.nodePath(member), nothing, PATIENT), 'ok')
      }
      const note = async (binding: Binding, of = stage.key) => {
        const text = await stage.write(binding, of)
        sweep.note(of, text, binding)
        return text
      }
      return { ...stage, sweep, pass, isIdle, register, note }
    }

    t.test('a room that nobody asks for goes after the linger, and not sooner', async (t) => {
      const { pass, note, textOf, isIdle } = await setUpSweep(t)
      const text = await note(assigned)
      await pass(LINGER_MS - 1)
      t.equal(await textOf(), text)
      await pass(TICK_MS)
      t.equal(await textOf(), undefined)
      t.ok(isIdle(), 'nothing is left to be done')
    })

    t.test('a room that is asked for again lingers from then on', async (t) => {
      const { pass, note, textOf } = await setUpSweep(t)
      await note(assigned)
      await pass(LINGER_MS - TICK_MS)
      const text = await note(assigned)
      await pass(LINGER_MS - TICK_MS)
      t.equal(await textOf(), text)
      await pass(2 * TICK_MS)
      t.equal(await textOf(), undefined)
    })

    t.test('a room that another gateway was asked for is left to it', async (t) => {
      const { pass, note, write, makeAnew, textOf } = await setUpSweep(t)
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
      const { client, layout, pass, note, textOf, register } = await setUpSweep(t)
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
      const { layout, pass, note, textOf, register } = await setUpSweep(t)
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

    t.test('rooms that others left behind are found by the round', async (t) => {
      const { sweep, pass, write, textOf } = await setUpSweep(t)
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
      const { client, layout, sweep, pass, write, textOf } = await setUpSweep(t)
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
      const { client, layout, sweep, pass, register } = await setUpSweep(t)
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
})
