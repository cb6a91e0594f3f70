import t from 'tap'
import { NoLiveNodeError, RegistrySettlingError } from '../../../lib/errors.js'
import { elapse } from '../../support/elapse.js'
import { connect, EPOCH, FAST, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { Membership, Registry, RoomKey } from '../../../types/index.js'

const META = '{cobrowse}:meta'
const LEASES = '{cobrowse}:leases'
const SETTLING = Math.max(FAST.lease, FAST.linger * 1000) + 2 * FAST.heartbeat

/** A lease that a busy machine keeps: the members of these tests have to stay. */
const STEADY = { heartbeat: 200, lease: 5000 }

// Each test has its own Redis, and mostly waits for it to settle.
t.jobs = 4

async function setUp (t: Test, times: { heartbeat?: number, lease?: number } = {}) {
  const server = await startRedis(t, '--enable-debug-command', 'yes')
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const gateway = makeRegistry(t, connect(t, server.port), times)
  const nodes = makeRegistry(t, connect(t, server.port), times)
  const join = async (id: string) => {
    const member = await nodes.join(nodeRecord(id))
    const events: string[] = []
    for (const event of ['lapsed', 'resumed', 'replaced', 'lost', 'ended'] as const) {
      member.on(event, () => events.push(event))
    }
    return { member, events }
  }
  return { server, redis, gateway, nodes, join }
}

const isSettling = async (registry: Registry, room: RoomKey = newRoom()) =>
  await registry.assign(room).then(() => false, (error) => error instanceof RegistrySettlingError)

/** Makes a member look dead to the store, unnoticed by its node. */
async function vanish (redis: Redis, { id, incarnation }: Membership): Promise<void> {
  await redis.zadd(LEASES, Date.now() - 1, `${id}|${incarnation}`)
}

t.test('the first request to an empty Redis – begins an epoch and settles', { skip: withoutRedis }, async (t) => {
  const { redis, gateway, join } = await setUp(t)
  await redis.flushall()
  const startedAt = Date.now()
  t.ok(await isSettling(gateway))
  const { epoch, replid, settledAt, yieldUntil } = await redis.hgetall(META)
  t.match(epoch, /^[\w-]{22}$/)
  t.match(replid, /^[0-9a-f]{40}$/)
  t.ok(Math.abs(Number(settledAt) - startedAt - SETTLING) < 1000)
  t.equal(Number(settledAt) - Number(yieldUntil), 2 * FAST.heartbeat)
  const { member } = await join('n1')
  t.ok(await isSettling(gateway), 'still settling with a node')
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  t.equal((await gateway.assign(room)).node.id, 'n1', 'a claimed room is answered')
  await until(async () => !await isSettling(gateway))
  t.ok(Date.now() >= Number(settledAt))
  t.equal((await redis.hgetall(META)).epoch, epoch)
})

const forgetting: Record<string, (redis: Redis) => Promise<unknown>> = {
  'a flush': async (redis) => await redis.flushall(),
  'a fail-over': async (redis) => await redis.call('DEBUG', 'CHANGE-REPL-ID'),
  'a lost epoch': async (redis) => await redis.hdel(META, 'epoch'),
  'an epoch of garbage': async (redis) => await redis.hset(META, 'epoch', 'x'),
  'meta data of a wrong type': async (redis) => await redis.multi().del(META).lpush(META, 'x').exec()
}
for (const [name, forget] of Object.entries(forgetting)) {
  t.test(`${name} – the nodes claim their rooms in the new epoch, under their incarnation`, {
    skip: withoutRedis
  }, async (t) => {
    const { redis, gateway, join } = await setUp(t, STEADY)
    const { member, events } = await join('n1')
    await join('n2')
    const rooms = Array.from({ length: 300 }, () => newRoom())
    for (const room of rooms) t.equal(await member.claim(room), 'ok')
    const assigned = newRoom()
    await gateway.assign(assigned)
    const { incarnation } = member
    await forget(redis)
    t.ok(await isSettling(gateway, assigned), 'an assignment without a claim is void')
    const [first = newRoom(), last = newRoom()] = [rooms[0], rooms.at(-1)]
    for (const room of [first, last]) {
      const { node } = await until(async () => await gateway.assign(room).catch(() => null))
      t.equal(node.incarnation, incarnation)
    }
    t.ok(await isSettling(gateway), 'new rooms still have to wait')
    t.strictSame(events, [])
    t.equal(member.incarnation, incarnation)
    const { epoch = '' } = await redis.hgetall(META)
    t.not(epoch, EPOCH)
    await until(async () => (await redis.mget(await redis.keys('*:room:*')))
      .filter((text) => text?.startsWith(`${epoch}|n1|${incarnation}|claimed|`)).length === 300)
    await until(async () => !await isSettling(gateway, assigned))
  })
}

t.test('a user without the right to INFO – is warned once, and notices no fail-over', { skip: withoutRedis }, async (t) => {
  const { server, redis } = await setUp(t)
  await redis.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-info')
  const registry = makeRegistry(t, connect(t, server.port, {
    username: 'limited', password: 'secret', enableReadyCheck: false
  }))
  const { warnings } = watch(registry)
  const member = await registry.join(nodeRecord('n1'))
  const room = newRoom()
  t.equal((await registry.assign(room)).node.incarnation, member.incarnation)
  await redis.call('DEBUG', 'CHANGE-REPL-ID')
  await elapse(3 * FAST.heartbeat, 'heartbeats read the store again')
  t.equal((await registry.assign(room)).node.incarnation, member.incarnation)
  t.strictSame(await redis.hgetall(META).then(({ epoch, replid }) => [epoch, replid]), [EPOCH, undefined])
  t.equal(warnings.length, 1)
  t.match(warnings, [/INFO replication/])
})

t.test('a clock that was set back – does not make the store settle for hours', { skip: withoutRedis }, async (t) => {
  const { redis, gateway, join } = await setUp(t)
  await join('n1')
  await redis.hset(META, 'settledAt', Date.now() + 3_600_000)
  t.ok(await isSettling(gateway))
  t.ok(Number(await redis.hget(META, 'settledAt')) < Date.now() + SETTLING + 500)
  await until(async () => !await isSettling(gateway))
})

t.test('a node that lapsed – store settling – yields all rooms but its own', { skip: withoutRedis }, async (t) => {
  const { redis, gateway, join } = await setUp(t)
  const { member, events } = await join('n1')
  const [own, lost] = [newRoom(), newRoom()]
  t.equal(await member.claim(own), 'ok')
  const [ownKey = ''] = await redis.keys('*:room:*')
  t.equal(await member.claim(lost), 'ok')
  const lostKey = (await redis.keys('*:room:*')).find((key) => key !== ownKey) ?? ''
  const soon = Date.now() + 1500
  await redis.multi().zrem(LEASES, `n1|${member.incarnation}`).del(lostKey)
    .hset(META, 'settledAt', soon + 400, 'yieldUntil', soon).exec()
  await until(() => events.includes('resumed'))
  t.strictSame([member.holds(own), member.holds(lost)], [true, false])
  t.ok(await isSettling(gateway, lost))
  await until(() => member.holds(lost))
  t.ok(Date.now() >= soon)
  t.equal((await gateway.assign(lost)).node.id, 'n1')
})

/** Lease long enough for a busy machine to stay within the two heartbeats that count as a silence. */
const SLOW = { heartbeat: 1500, lease: 4000 }

t.test('all nodes silent – for a while nothing is reassigned, then there is no live node', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway } = await setUp(t, SLOW)
  await redis.zadd(LEASES, Date.now() - 1, 'n1|x')
  await redis.hset(META, 'beat', Date.now() - SLOW.lease)
  t.ok(await isSettling(gateway))
  await until(async () => await gateway.assign(newRoom()).catch((error) => error instanceof NoLiveNodeError))
  const { quiet } = await redis.hgetall(META)
  t.ok(Date.now() - Number(quiet) >= 2 * SLOW.heartbeat)
})

t.test('the first heartbeat after a silence – lets the others return before any room is reassigned', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway, join } = await setUp(t, SLOW)
  await join('n1')
  await redis.zadd(LEASES, Date.now() - 1, 'n2|x')
  await redis.hset(META, 'beat', Date.now() - SLOW.lease)
  await until(async () => Date.now() - Number(await redis.hget(META, 'beat')) < SLOW.lease)
  t.ok(await isSettling(gateway))
  const { settledAt, yieldUntil, beat } = await redis.hgetall(META)
  t.equal(Number(settledAt) - Number(yieldUntil), SLOW.heartbeat)
  t.ok(Number(settledAt) - Number(beat) <= 2 * SLOW.heartbeat)
  await until(async () => !await isSettling(gateway))
})

t.test('a store that fell silent before it had settled – does not know the missing nodes', { skip: withoutRedis }, async (t) => {
  const { redis, gateway, join } = await setUp(t, SLOW)
  const longAgo = Date.now() - 60_000
  await redis.hset(META, 'beat', longAgo, 'settledAt', longAgo + 1000)
  await join('n1')
  t.ok(await isSettling(gateway))
  await until(async () => !await isSettling(gateway))
  await redis.flushall()
  await until(async () => !await isSettling(gateway))
})

t.test('most nodes vanished at once – their rooms wait, and new rooms go to the remaining nodes', {
  skip: withoutRedis
}, async (t) => {
  const { server, redis, gateway, join } = await setUp(t)
  const { member: stays } = await join('stays')
  const doubtful = makeRegistry(t, connect(t, server.port))
  const gone = await Promise.all(['a', 'b'].map(async (id) => await doubtful.join(nodeRecord(id))))
  const room = newRoom()
  const { node } = await gateway.assign(room, { accepts: ({ id }) => id === 'a' })
  t.equal(node.id, 'a')
  const [a, b] = gone
  if (a === undefined || b === undefined) throw new Error('no node joined')
  await doubtful.close()
  await redis.zadd(LEASES, Date.now() - 1, `a|${a.incarnation}`, Date.now() - 1, `b|${b.incarnation}`)
  t.ok(await isSettling(gateway, room))
  watch(gateway)
  await until(() => (gateway.status().viewAgeMs ?? Infinity) < 50)
  t.strictSame(gateway.nodes().map(({ id }) => id).sort(), ['a', 'b', 'stays'], 'missing nodes stay listed')
  t.equal((await gateway.assign(newRoom())).node.id, 'stays')
  await until(async () => !await isSettling(gateway, room))
  t.equal((await gateway.assign(room)).node.incarnation, stays.incarnation, 'after a lease and a heartbeat')
})

t.test('a single node that vanishes or leaves – is dead at once', { skip: withoutRedis }, async (t) => {
  const { redis, gateway, nodes, join } = await setUp(t)
  const { member } = await join('n1')
  const room = newRoom()
  await gateway.assign(room)
  const others = makeRegistry(t, redis)
  const other = await others.join(nodeRecord('n2'))
  await vanish(redis, member)
  t.equal((await gateway.assign(room)).node.incarnation, other.incarnation)
  await nodes.close()
  await other.leave()
  await t.rejects(gateway.assign(newRoom()), NoLiveNodeError, 'a node that left is not missing')
})

t.test('a node whose lease in the store is alive – keeps its incarnation', { skip: withoutRedis }, async (t) => {
  const { server, redis, nodes } = await setUp(t)
  const slow = makeRegistry(t, connect(t, server.port), { heartbeat: 400, lease: 2000 })
  const member = await slow.join(nodeRecord('n1'))
  const events: string[] = []
  member.on('lapsed', () => events.push('lapsed'))
  member.on('resumed', () => events.push('resumed'))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  const { incarnation } = member
  // The store considers the node alive throughout, since the test prolongs the lease.
  const prolong = async () => await redis.zadd(LEASES, Date.now() + 60_000, `n1|${incarnation}`)
  const keepAlive = setInterval(() => prolong().catch(() => {}), 100)
  t.teardown(() => clearInterval(keepAlive))
  const now = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => now() + ahead })
  ahead = 10_000
  t.equal(member.valid(), false)
  t.equal(member.holds(room), false)
  await until(() => events.includes('resumed'))
  t.strictSame(events, ['lapsed', 'resumed'])
  t.equal(member.incarnation, incarnation)
  t.equal(member.holds(room), true, 'its rooms are claimed again in the same transaction')
  await nodes.close()
})

t.test('a late registration – does not replace a younger one', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, join } = await setUp(t)
  const { member, events } = await join('n1')
  await redis.hset('{cobrowse}:ids', 'n1', `somebody-else|${EPOCH}`)
  await redis.zrem(LEASES, `n1|${member.incarnation}`)
  await until(() => events.includes('replaced'))
  t.equal(await redis.hget('{cobrowse}:ids', 'n1'), `somebody-else|${EPOCH}`)
  t.strictSame(await redis.zrange(LEASES, '0', '-1'), [])
  const younger = await nodes.join(nodeRecord('n1'))
  t.equal(await redis.hget('{cobrowse}:ids', 'n1'), `${younger.incarnation}|${EPOCH}`, 'a new process may take its place')
})

t.test('a fail-over that forgets a registration – makes no node believe that it was replaced', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes, join } = await setUp(t)
  const before = await nodes.join(nodeRecord('n1'))
  const { incarnation } = before
  await before.leave()
  const { member, events } = await join('n1')
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  await redis.multi().hset('{cobrowse}:ids', 'n1', `${incarnation}|${EPOCH}`).del(LEASES).hdel(META, 'epoch').exec()
  await until(async () => (await redis.hget('{cobrowse}:ids', 'n1'))?.startsWith(`${member.incarnation}|`))
  t.strictSame([member.holds(room), events], [true, []])
})
