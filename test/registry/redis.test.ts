import { Cluster, Redis } from 'ioredis'
import t from 'tap'
import { redisRegistry } from '../../lib/registry/redis.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import {
  connect, EPOCH, FAST, makeRegistry, skipSettling, watch
} from '../support/redis-registry.js'
import { testRedisContract } from '../support/redis-contract.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { eventually, until } from '../support/until.js'
import type { RedisRegistryOptions } from '../../types/index.js'

// The other clients: test/registry/redis/clients.long.test.ts.
testRedisContract(t, ['ioredis 6', 'node-redis 6'])

t.test('a registry on a Cluster – works', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t, '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1')
  const admin = connect(t, port)
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383)
  await until(async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'))
  const cluster = new Cluster([{ port, host: '127.0.0.1' }])
  cluster.on('error', () => {})
  t.teardown(() => cluster.disconnect())
  await skipSettling(admin)
  const registry = makeRegistry(t, cluster)
  const member = await registry.join(nodeRecord('n1'))
  const room = newRoom()
  t.equal((await registry.assign(room)).node.incarnation, member.incarnation)
  t.equal(await member.claim(room), 'ok')
  await member.release(room)
  await member.leave()
  t.strictSame(await admin.keys('*:nodes'), [])
})

t.test('all data – is kept in the keys that other gateways and nodes know', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const registry = makeRegistry(t, redis)
  const member = await registry.join(nodeRecord('n1', { zone: 'az1' }))
  const name = `n1|${member.incarnation}`
  await registry.assign({ tenant: 't1', room: 'r1' })
  // The name is the SHA-256 of 2:t12:r1, computed with openssl.
  const roomKey = '{cobrowse}:room:iE9F1qzdF8WNrryTI9A7rJ-pYA3NylNz_CM5sPYwCW8'
  const common = ['{cobrowse}:history', '{cobrowse}:ids', '{cobrowse}:leases', '{cobrowse}:meta', '{cobrowse}:nodes']
  t.strictSame((await redis.keys('*')).sort(), [...common, roomKey])
  t.strictSame(await redis.hgetall('{cobrowse}:ids'), { n1: `${member.incarnation}|${EPOCH}` })
  t.match(await redis.hgetall('{cobrowse}:meta'), { epoch: EPOCH, replid: /^[0-9a-f]{40}$/, beat: /^[0-9]{13}$/ })
  t.strictSame(JSON.parse(await redis.hget('{cobrowse}:nodes', name) ?? ''), {
    wssUrl: 'wss://n1.example/ws/cobrowse/1', zone: 'az1', rooms: 0
  })
  const [seconds] = await redis.time()
  const lease = Number(await redis.zscore('{cobrowse}:leases', name)) - Number(seconds) * 1000
  t.ok(lease > FAST.lease - 500 && lease < FAST.lease + 1100, 'expiry of the lease by the clock of Redis')
  t.equal(await redis.get(roomKey), `${EPOCH}|${name}|assigned|0`)
  const left = await redis.pttl(roomKey)
  t.ok(left > FAST.linger * 1000 && left <= FAST.linger * 1000 + FAST.lease, 'the binding outlives the linger and the lease')
  t.equal(await member.claim({ tenant: 't1', room: 'r1' }), 'ok')
  t.equal(await redis.get(roomKey), `${EPOCH}|${name}|claimed|1`)
  t.ok(await redis.pttl(roomKey) > 80_000)
  await registry.assign({ tenant: 't1', room: 'r1' })
  t.ok(await redis.pttl(roomKey) > 80_000, 'an answer never shortens the binding')
  await until(async () => (await redis.hget('{cobrowse}:nodes', name))?.includes('"rooms":1'), 'the load of the node')
  await member.release({ tenant: 't1', room: 'r1' })
  t.equal(await redis.get(roomKey), `${EPOCH}|${name}|released|1`)
  t.ok(await redis.pttl(roomKey) <= FAST.linger * 1000 + FAST.lease)
  await member.leave()
  t.strictSame((await redis.keys('*')).sort(), ['{cobrowse}:history', '{cobrowse}:meta', roomKey])
})

t.test('a client with lazyConnect – not connected – is connected by the registry', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  await skipSettling(connect(t, port))
  const registry = makeRegistry(t, connect(t, port, { lazyConnect: true }))
  await registry.join(nodeRecord('n1'))
  t.equal((await registry.assign(newRoom())).node.id, 'n1')
})

t.test('nodes of a registry that was not started – are read on demand, and again once outdated', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  await skipSettling(connect(t, port))
  const nodes = makeRegistry(t, connect(t, port))
  const gateway = makeRegistry(t, connect(t, port))
  await nodes.join(nodeRecord('n1'))
  t.equal((await gateway.assign(newRoom())).node.id, 'n1')
  await nodes.join(nodeRecord('n2'))
  await eventually(async () => (await gateway.assign(newRoom())).node.id, 'n2')
  t.equal(gateway.status().state, 'up')
})

t.test('a deployment with its own layout – is read by its own parse', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  await redis.hset('{cobrowse}:nodes', 'n1|x', '10.0.0.1:8443/ws/cobrowse/1', 'n2|x', 'throw')
  await redis.zadd('{cobrowse}:leases', Date.now() + 60_000, 'n1|x', Date.now() + 60_000, 'n2|x')
  const registry = makeRegistry(t, redis, {
    parse (text, id) {
      if (text === 'throw') throw new TypeError(`a secret of ${id}`)
      return { wssUrl: `wss://${text}` }
    }
  })
  const { warnings } = watch(registry)
  const { node } = await registry.assign(newRoom())
  t.strictSame(node, { id: 'n1', incarnation: 'x', wssUrl: 'wss://10.0.0.1:8443/ws/cobrowse/1' })
  t.strictSame(warnings, [{ node: 'n2', reason: 'node record: cannot be parsed' }])
})

t.test('more nodes than fit on a page – are all read', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const nodes = Array.from({ length: 1300 }, (_value, number) => `n${number}|x`)
  await redis.hset('{cobrowse}:nodes', ...nodes.flatMap((name) => [name, '{"wssUrl":"wss://10.0.0.1/ws"}']))
  // Most leases expire in one millisecond, as after a restart of all nodes.
  const endsAt = Date.now() + 60_000
  await redis.zadd('{cobrowse}:leases', ...nodes.flatMap((name, at) => [endsAt + Math.max(0, at - 1200), name]))
  const registry = makeRegistry(t, redis)
  watch(registry)
  await until(() => registry.nodes().length > 0)
  t.equal(new Set(registry.nodes().map(({ id }) => id)).size, 1300)
  t.equal(registry.nodes().length, 1300)
})

t.test('10,000 nodes – are all read, and one more is reported as too many', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const register = async (names: string[]) => {
    await redis.hset('{cobrowse}:nodes', ...names.flatMap((name) => [name, '{"wssUrl":"wss://10.0.0.1/ws"}']))
    await redis.zadd('{cobrowse}:leases', ...names.flatMap((name, at) => [Date.now() + 600_000 + at, name]))
  }
  await register(Array.from({ length: 10_000 }, (_value, number) => `n${number}|x`))
  const registry = makeRegistry(t, redis)
  const { states } = watch(registry)
  await until(() => registry.status().state !== 'starting' && registry.nodes().length > 0)
  t.equal(registry.nodes().length, 10_000)
  t.match(registry.status(), { state: 'up' })
  t.strictSame(states.map(({ state }) => state).filter((state) => state === 'degraded'), [])
  await register(['one-more|x'])
  await eventually(() => registry.status().reason, /more than 10000 nodes/)
  await eventually(() => registry.nodes().length, 10_000)
})

t.test('a client that returns numbers as text – is not taken for a Redis that hides data', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port, { stringNumbers: true })
  await skipSettling(redis)
  await redis.hset('{cobrowse}:nodes', 'huge|x', `10.0.0.2:8443/${'x'.repeat(5000)}`)
  await redis.zadd('{cobrowse}:leases', Date.now() + 60_000, 'huge|x')
  const parse = (text: string) => ({ wssUrl: text.startsWith('{') ? JSON.parse(text).wssUrl : `wss://${text}/` })
  const registry = makeRegistry(t, redis, { parse })
  const { warnings } = watch(registry)
  const member = await registry.join(nodeRecord('n1'))
  const room = newRoom()
  const { node, issuedAt } = await until(async () => await registry.assign(room).catch(() => null))
  t.equal(node.id, 'n1')
  t.ok(Number.isSafeInteger(issuedAt))
  t.equal(await member.claim(room), 'ok')
  t.ok(Number.isFinite(member.now()))
  await until(() => registry.status().state === 'up')
  t.strictSame(warnings, [{ node: 'huge', reason: 'node record: must not be longer than 4096 bytes' }])
  t.strictSame(registry.nodes().map(({ id }) => id), ['n1'])
  await registry.end?.(room)
  await until(() => Number.isSafeInteger(member.endedAt(room)))
})

t.test('a wrong option – is rejected by name', async (t) => {
  const redis = new Redis({ lazyConnect: true })
  const bad: Array<[unknown, RegExp]> = [
    [undefined, /"redis" option of redisRegistry must be an ioredis client/],
    [{ redis: 'redis://localhost' }, /"redis" option of redisRegistry must be an ioredis client/],
    [{ redis: { eval () {} } }, /"redis" option of redisRegistry must be an ioredis client: .* no method "evalsha"/],
    [{ redis, prefix: 'cobrowse' }, /"prefix" option of redisRegistry must be a string with a \{tag\}/],
    [{ redis, prefix: '{}' }, /"prefix" option/],
    [{ redis, prefix: '{}{a}' }, /"prefix" option/],
    [{ redis, heartbeat: 0 }, /"heartbeat" option of redisRegistry must be an integer/],
    [{ redis, heartbeat: 2000, lease: 3999 }, /"lease" option of redisRegistry must be at least twice the "heartbeat"/],
    [{ redis, lease: 3000.5 }, /"lease" option of redisRegistry must be an integer/],
    [{ redis, linger: 0 }, /"linger" option of redisRegistry must be an integer of at least 1/],
    [{ redis, parse: 'json' }, /"parse" option of redisRegistry must be a function/],
    [{ redis, url: 'redis://' }, /"url" is not an option of redisRegistry/]
  ]
  for (const [options, message] of bad) {
    // A program without types may pass these.
    t.throws(() => redisRegistry(options as RedisRegistryOptions), { name: 'TypeError', message })
  }
  t.doesNotThrow(() => redisRegistry({ redis, prefix: 'app:{x}', lease: undefined }))
})

t.test('Redis – a gateway’s clock and view are wrong – decides about life and time', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  const put = async (id: string, lease: number) => {
    await redis.hset('{cobrowse}:nodes', `${id}|x`, JSON.stringify({ wssUrl: nodeRecord(id).wssUrl }))
    await redis.zadd('{cobrowse}:leases', Date.now() + lease, `${id}|x`)
  }
  await put('dead', 600_000)
  await put('alive', 600_000)
  // The long interval keeps this registry from reading the nodes during the test.
  const registry = makeRegistry(t, redis, { heartbeat: 30_000, lease: 60_000 })
  await registry.assign(newRoom())
  t.equal(registry.nodes().length, 2)

  await redis.zadd('{cobrowse}:leases', Date.now() - 1000, 'dead|x')
  for (let room = 0; room < 30; room++) t.equal((await registry.assign(newRoom())).node.id, 'alive')
  t.equal(registry.nodes().length, 2, 'the view still lists the dead node')

  const now = Date.now
  t.teardown(() => { Date.now = now })
  Date.now = () => now() + 3_600_000
  const { issuedAt } = await registry.assign(newRoom())
  Date.now = now
  t.ok(Math.abs(issuedAt - now()) < 60_000, 'the date is that of Redis, not of a gateway an hour ahead')
})

t.test('a burst of requests – one node emptier than the rest – is not sent to that node only', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  for (const [id, rooms] of Object.entries({ empty: 0, busy: 20 })) {
    await redis.hset('{cobrowse}:nodes', `${id}|x`, JSON.stringify({ wssUrl: nodeRecord(id).wssUrl, rooms }))
    await redis.zadd('{cobrowse}:leases', Date.now() + 600_000, `${id}|x`)
  }
  const registry = makeRegistry(t, redis, { heartbeat: 30_000, lease: 60_000 })
  const warm = { tenant: 't1', room: 'warm' }
  await registry.assign(warm)
  const burst = await Promise.all(Array.from({ length: 100 }, async () => await registry.assign(newRoom())))
  const empty = burst.filter(({ node }) => node.id === 'empty').length
  t.ok(empty >= 55 && empty <= 64, `${empty} of 100; 60 make the two even`)
})
