import t from 'tap'
import { bucketOf } from '../../../lib/registry/zookeeper/layout.js'
import { createRooms } from '../../../lib/registry/zookeeper/room-records.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { assigned, other, PATIENT, setUpRooms } from './set-up-rooms.js'
import type { Test } from 'tap'
import type { RoomState } from '../../../lib/registry/zookeeper/room-records.js'

t.test('rooms on one server', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const setUp = async (t: Test) => await setUpRooms(t, hosts)

  t.test('a room – is created, written, checked and deleted as it was read', async (t) => {
    const { rooms, key, read, done, write, textOf } = await setUp(t)
    const absent = await read()
    t.strictSame(absent, { key, bucketVersion: 0 })
    const text = await write(assigned)
    const made = await read()
    t.strictSame(made, { key, bucketVersion: 0, version: 0, text, binding: assigned })
    t.notOk(await done(rooms.write(absent, other).ops), 'a reader of no room creates none over it')
    t.ok(await done(rooms.check(made)))
    const later = await write(other)
    for (const ops of [rooms.check(made), rooms.write(made, assigned).ops, rooms.remove(made)]) {
      t.notOk(await done(ops), 'a reader of the earlier version changes nothing')
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
    t.test(`a room deleted and created again since it was read – no ${step}`, async (t) => {
      const { layout, rooms, key, read, done, write, recreate, textOf } = await setUp(t)
      await write(assigned)
      const before = await read()
      const text = await recreate()
      t.equal((await read()).version, before.version, 'its own version is the same')
      const ops = opsOf(rooms, before)
      t.notOk(await done(ops))
      t.equal(await textOf(), text, 'the room is as the other process left it')
      const bucket = layout.bucketPath(bucketOf(key))
      t.ok(await done(ops.filter(({ path }) => path !== bucket)), 'only the check of the bucket prevents it')
    })
  }

  t.test('a room deleted and created again between the two reads of one reading – is not relied on', async (t) => {
    const { layout, client, rooms, key, read, done, write, recreate } = await setUp(t)
    await write(assigned)
    let isSecond = false
    let first: Promise<unknown> = Promise.resolve()
    const inTurn = async <T>(look: () => Promise<T>): Promise<T> => {
      if (isSecond) {
        await first
        await recreate()
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
})
