import t from 'tap'
import { createStoreMemory } from '../../../lib/registry/redis/memory.js'
import { connect, EPOCH, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'

const META = '{cobrowse}:meta'

async function setUp (t: Test) {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const gateways = Array.from({ length: 3 }, () => makeRegistry(t, connect(t, port)))
  for (const gateway of gateways) watch(gateway)
  const member = await makeRegistry(t, connect(t, port)).join(nodeRecord('n1'))
  await makeRegistry(t, connect(t, port)).join(nodeRecord('n2'))
  const events: string[] = []
  for (const event of ['lapsed', 'lost', 'replaced'] as const) member.on(event, () => events.push(event))
  const [gateway = makeRegistry(t, redis)] = gateways
  return { redis, gateway, member, events }
}

/**
 * Takes a snapshot. @returns a function that restores it in one transaction: older data under the same replication id
 */
async function copyOf (redis: Redis): Promise<() => Promise<void>> {
  const keys = await redis.keys('*')
  const copies = await Promise.all(keys.map(async (key) =>
    ({ key, text: await redis.dumpBuffer(key), ttl: Math.max(0, await redis.pttl(key)) })))
  return async () => {
    const work = redis.multi().flushall()
    for (const { key, text, ttl } of copies) work.restore(key, ttl, text)
    await work.exec()
  }
}

/** Collects the epochs of the store until it assigns new rooms. */
async function epochsUntilSettled (redis: Redis): Promise<string[]> {
  const epochs = new Set<string>()
  await until(async () => {
    const { epoch, settledAt } = await redis.hgetall(META)
    if (epoch !== undefined) epochs.add(epoch)
    return Number(settledAt) > 0 && Number(settledAt) < Date.now() && epochs.size > 0
  }, 'the end of the settling')
  return [...epochs]
}

t.test('a store set back to older data – callers remember more – begins one epoch, and no open room moves', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway, member, events } = await setUp(t)
  const before = newRoom()
  t.equal(await member.claim(before), 'ok')
  const putBack = await copyOf(redis)
  // As many writes as no heartbeats of the others make up for before the member's next one.
  const lost = Array.from({ length: 20 }, () => newRoom())
  for (const room of lost) t.equal(await member.claim(room), 'ok')
  await putBack()
  const [first, ...more] = (await epochsUntilSettled(redis)).filter((epoch) => epoch !== EPOCH)
  t.ok(first)
  t.strictSame(more, [])
  for (const room of [before, ...lost]) {
    t.equal((await gateway.assign(room)).node.incarnation, member.incarnation)
    t.equal(member.holds(room), true)
  }
  t.strictSame(events, [])
})

t.test('a single lost write – its caller asks again – is noticed', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const member = await makeRegistry(t, connect(t, port), { heartbeat: 30_000, lease: 60_000 }).join(nodeRecord('n1'))
  const gateway = makeRegistry(t, connect(t, port), { heartbeat: 30_000, lease: 60_000 })
  await gateway.assign(newRoom())
  for (const write of [
    async () => await gateway.assign(newRoom()),
    async () => t.equal(await member.claim(newRoom()), 'ok')
  ]) {
    const putBack = await copyOf(redis)
    const { epoch } = await redis.hgetall(META)
    await write()
    await putBack()
    await write().catch(() => {})
    t.not((await redis.hgetall(META)).epoch, epoch)
    await redis.hset(META, 'settledAt', '0', 'yieldUntil', '0')
    await member.undrain()
  }
})

t.test('many lost writes – a process that just started writes first – are noticed by the next caller', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const rare = { heartbeat: 30_000, lease: 60_000 }
  const member = await makeRegistry(t, connect(t, port), rare).join(nodeRecord('n1'))
  const putBack = await copyOf(redis)
  const { epoch } = await redis.hgetall(META)
  for (let writes = 0; writes < 5; writes++) t.equal(await member.claim(newRoom()), 'ok')
  await putBack()
  await makeRegistry(t, connect(t, port), rare).join(nodeRecord('n2'))
  t.equal((await redis.hgetall(META)).epoch, epoch, 'the new process remembers nothing')
  await member.undrain()
  t.not((await redis.hgetall(META)).epoch, epoch)
})

t.test('a store emptied after its clock was an hour ahead – all callers remember that – begins two epochs at most', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway, member, events } = await setUp(t)
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  const ahead = Date.now() + 3_600_000
  await redis.hset(META, 'mark', ahead)
  await until(async () => Number(await redis.hget(META, 'mark')) > ahead + 5, 'heartbeats')
  await redis.flushall()
  // A process that just started, and remembers nothing, begins the epoch.
  await makeRegistry(t, redis).assign(newRoom()).catch(() => {})
  t.ok((await epochsUntilSettled(redis)).length <= 2)
  t.equal((await gateway.assign(room)).node.incarnation, member.incarnation)
  t.strictSame(events, [])
})

t.test('a memory – texts in any order, late or malformed – is the latest valid one', async (t) => {
  const told: unknown[] = []
  const memory = createStoreMemory((times) => told.push(times))
  t.equal(memory.text, '')
  for (const text of ['5 1 2 3', '7 1 2 3', '6 9 9 9', undefined, null, 8, '', '9 1 2', '9 1 2 x', '-9 1 2 3', [], {}]) {
    memory.take(text)
  }
  t.equal(memory.text, '7 1 2 3')
  t.strictSame(told, [{ lease: 1, heartbeat: 2, linger: 3 }])
  memory.take('7 1 2 4')
  t.equal(told.length, 2)
})
