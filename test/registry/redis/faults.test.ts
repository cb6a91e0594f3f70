import { Redis as Redis5 } from 'ioredis5'
import t from 'tap'
import { NoLiveNodeError, RegistrySettlingError, RegistryUnavailableError } from '../../../lib/errors.js'
import { connect, makeHastyRegistry, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { eventually, until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Test } from 'tap'

// An abandoned command that fails later must not end the process.
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

const cannotAsk = (t: Test, call: Promise<unknown>, why?: RegExp) =>
  t.rejects(call, why === undefined ? RegistryUnavailableError : { code: 'FST_COBROWSE_50302', cause: { message: why } })

async function setUp (t: Test) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const nodes = makeRegistry(t, redis)
  const gateway = makeHastyRegistry(t, connect(t, server.port))
  return { server, redis, nodes, gateway }
}

t.test('scripts forgotten by Redis – are sent once more, within the same request', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, gateway } = await setUp(t)
  const member = await nodes.join(nodeRecord('n1'))
  const room = newRoom()
  const first = await gateway.assign(room)
  await redis.script('FLUSH')
  t.strictSame((await gateway.assign(room)).node, first.node)
  await redis.script('FLUSH')
  t.equal(await member.claim(room), 'ok')
})

t.test('a room key of a wrong type, or unreadable – costs that room only', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes, gateway } = await setUp(t)
  const member = await nodes.join(nodeRecord('n1'))
  for (const spoil of [
    async (key: string) => await redis.lpush(key, 'x'),
    async (key: string) => await redis.set(key, 'garbage')
  ]) {
    const room = newRoom()
    await gateway.assign(room)
    const [key = ''] = await redis.keys('*:room:*')
    await redis.del(key)
    await spoil(key)
    await cannotAsk(t, gateway.assign(room), /WRONGTYPE|cannot be read/)
    await cannotAsk(t, member.claim(room))
    await t.resolves(member.release(room))
    t.equal((await gateway.assign(newRoom())).node.id, 'n1')
    await redis.del(key)
    t.equal((await gateway.assign(room)).node.id, 'n1', 'the room works once the key is gone')
    await redis.del(await redis.keys('*:room:*'))
  }
})

t.test('a node list of a wrong type – costs new rooms, and is repaired by a heartbeat', {
  skip: withoutRedis
}, async (t) => {
  const { server, redis, gateway } = await setUp(t)
  // No heartbeat is sent in between; `drain` sends one on demand.
  const nodes = makeRegistry(t, connect(t, server.port), { heartbeat: 20_000, lease: 60_000 })
  watch(gateway)
  const member = await nodes.join(nodeRecord('n1'))
  const lapses: string[] = []
  member.on('lapsed', () => lapses.push('lapsed'))
  const room = newRoom()
  await gateway.assign(room)
  await eventually(() => gateway.nodes().length, 1)
  await redis.set('{cobrowse}:nodes', 'x')
  await eventually(() => gateway.status().state, 'degraded')
  t.match(gateway.status().reason, /wrong type/)
  t.ok(Number(gateway.status().viewAgeMs) >= 0)
  t.equal(gateway.nodes().length, 1, 'the last good view is kept')
  t.equal((await gateway.assign(room)).node.id, 'n1', 'known rooms are kept with it')
  await cannotAsk(t, gateway.assign(newRoom()), /WRONGTYPE/)
  await member.undrain()
  await until(async () => await gateway.assign(newRoom()).catch(() => null))
  await eventually(() => gateway.status().state, 'up')
  t.equal(member.valid(), true, 'the lease stays valid')
  t.strictSame(lapses, [])
})

t.test('leases of a wrong type – are reported once, as a store that cannot be asked', { skip: withoutRedis }, async (t) => {
  const { redis, gateway } = await setUp(t)
  await redis.set('{cobrowse}:leases', 'x')
  await cannotAsk(t, gateway.assign(newRoom()), /WRONGTYPE/)
  await t.rejects(gateway.assign(newRoom()), RegistrySettlingError)
})

t.test('a bad record – costs its node only, and one log line', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, gateway } = await setUp(t)
  await nodes.join(nodeRecord('good'))
  const bad = {
    huge: `{"wssUrl":"wss://10.0.0.1/","x":"${'x'.repeat(8 * 1024 * 1024)}"}`,
    garbage: '{"wssUrl":',
    evil: '{"wssUrl":"javascript:alert(1)"}',
    missing: ''
  }
  const endsAt = Date.now() + 60_000
  for (const [id, record] of Object.entries(bad)) {
    if (record !== '') await redis.hset('{cobrowse}:nodes', `${id}|x`, record)
    await redis.zadd('{cobrowse}:leases', endsAt, `${id}|x`)
  }
  await redis.zadd('{cobrowse}:leases', endsAt, 'no-incarnation', endsAt, '|', endsAt, 'a|b|c')
  const { warnings } = watch(gateway)
  await until(() => gateway.nodes().length > 0)
  t.strictSame(gateway.nodes().map(({ id }) => id), ['good'])
  for (let i = 0; i < 20; i++) t.equal((await gateway.assign(newRoom())).node.id, 'good')
  const readAgain = gateway.status().viewAgeMs ?? 0
  await until(() => (gateway.status().viewAgeMs ?? 0) < readAgain)
  t.equal(warnings.length, 7, 'one line per record, not per reading')
  t.notMatch(JSON.stringify(warnings), /javascript|xxxx/, 'the log quotes nothing of a record')
  await redis.hset('{cobrowse}:nodes', 'evil|x', '{"wssUrl":"wss://10.0.0.2/"}')
  await eventually(() => gateway.nodes().length, 2, 'nodes after the record is repaired')
})

t.test('a room – its node’s record became garbage – stays on the node, by the last good record', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway } = await setUp(t)
  const stranger = makeRegistry(t, redis)
  await redis.zadd('{cobrowse}:leases', Date.now() + 60_000, 'n1|x')
  await redis.hset('{cobrowse}:nodes', 'n1|x', '{"wssUrl":"wss://10.0.0.1/"}')
  const room = newRoom()
  const { node } = await gateway.assign(room)
  for (const spoil of ['garbage', `{"wssUrl":"wss://10.0.0.3/"}${' '.repeat(5000)}`]) {
    await redis.hset('{cobrowse}:nodes', 'n1|x', spoil)
    t.strictSame((await gateway.assign(room)).node, node)
    await t.rejects(makeRegistry(t, redis).assign(newRoom()), NoLiveNodeError, 'new rooms avoid the node')
  }
  await cannotAsk(t, stranger.assign(room), /record/)
  await redis.hset('{cobrowse}:nodes', 'n1|x', '{"wssUrl":"wss://10.0.0.2/"}')
  t.equal((await gateway.assign(room)).node.wssUrl, 'wss://10.0.0.2/')
})

t.test('a stalled Redis – requests fail, and asking again returns the binding that was written', {
  skip: withoutRedis
}, async (t) => {
  const { server, redis, nodes, gateway } = await setUp(t)
  const redis5 = new Redis5(server.port, '127.0.0.1').on('error', () => {})
  t.teardown(() => redis5.disconnect())
  const gateway5 = makeHastyRegistry(t, redis5)
  for (const id of ['n1', 'n2', 'n3', 'n4']) await nodes.join(nodeRecord(id))
  await Promise.all([gateway.assign(newRoom()), gateway5.assign(newRoom())])
  const rooms = Array.from({ length: 20 }, () => newRoom())
  server.pause()
  const startedAt = performance.now()
  for (const room of rooms) {
    gateway.assign(room).then(() => t.fail('answered'), () => {})
    gateway5.assign(room).then(() => t.fail('answered'), () => {})
  }
  await cannotAsk(t, gateway.assign(newRoom()), /no answer within 300 ms/)
  await cannotAsk(t, gateway5.assign(newRoom()), /no answer within 300 ms/)
  t.ok(performance.now() - startedAt < 5000)
  server.resume()
  await until(async () => await redis.ping())
  for (const room of rooms) {
    const landed = await redis.keys('*:room:*')
    const asked = await Promise.all([gateway.assign(room), gateway5.assign(room), gateway.assign(room)])
    t.equal(new Set(asked.map(({ node }) => node.incarnation)).size, 1)
    t.equal((await redis.keys('*:room:*')).length, landed.length, 'the late write stands')
  }
})

t.test('a caller that goes away – gets its own reason at once', { skip: withoutRedis }, async (t) => {
  const { server, nodes, gateway } = await setUp(t)
  await nodes.join(nodeRecord('n1'))
  await gateway.assign(newRoom())
  server.pause()
  t.teardown(() => server.resume())
  const caller = new AbortController()
  const reason = new Error('gone')
  const call = gateway.assign(newRoom(), { signal: caller.signal })
  caller.abort(reason)
  await t.rejects(call, reason)
})

t.test('a Redis that is down at the start – costs only answers, and is found once it is up', {
  skip: withoutRedis
}, async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const gateway = makeRegistry(t, connect(t, server.port))
  const { states } = watch(gateway)
  await cannotAsk(t, gateway.assign(newRoom()))
  await cannotAsk(t, gateway.join(nodeRecord('n1')))
  await eventually(() => gateway.status().state, 'down')
  t.equal(gateway.status().viewAgeMs, undefined)
  t.notMatch(JSON.stringify(states), /127\.0\.0\.1|ECONNREFUSED/)
  await server.restart()
  await eventually(() => gateway.status().state, 'up')
  await t.rejects(gateway.assign(newRoom()), NoLiveNodeError)
  const member = await gateway.join(nodeRecord('n1'))
  const { node } = await until(async () => await gateway.assign(newRoom()).catch(() => null))
  t.equal(node.incarnation, member.incarnation, 'answered once no other node can come back')
})

t.test('a Redis that is killed and restarts empty – settles, is filled again, and no open room is touched', {
  skip: withoutRedis
}, async (t) => {
  const { server, nodes, gateway } = await setUp(t)
  const { states, warnings } = watch(gateway)
  const member = await nodes.join(nodeRecord('n1'))
  const lost: unknown[] = []
  member.on('lost', (room) => lost.push(room))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  await eventually(() => gateway.nodes().length, 1)
  await server.kill()
  await eventually(() => gateway.status().state, 'down')
  await cannotAsk(t, gateway.assign(newRoom()))
  t.equal(gateway.nodes().length, 1, 'the last view is kept')
  await server.restart()
  await until(async () => await gateway.assign(newRoom()).catch((error) => error instanceof RegistrySettlingError))
  await until(() => member.holds(room))
  const { node } = await until(async () => await gateway.assign(room).catch(() => null))
  t.equal(node.incarnation, member.incarnation, 'the open room is claimed again')
  await until(() => /settling/.test(gateway.status().reason ?? ''))
  t.match(JSON.stringify(warnings), /settlingSeconds/)
  await until(async () => await gateway.assign(newRoom()).catch(() => null))
  await eventually(() => gateway.status().state, 'up')
  t.match(states.map(({ state }) => state).join(' '), /down (degraded )+up$/)
  t.strictSame(lost, [])
})

t.test('a closed registry – leaves nothing behind', { skip: withoutRedis }, async (t) => {
  const { server, redis } = await setUp(t)
  const own = connect(t, server.port)
  const countListeners = () => own.eventNames().map((name) => [name, own.listenerCount(name)])
  await own.ping()
  const before = countListeners()
  const registry = makeRegistry(t, own)
  watch(registry)
  await registry.join(nodeRecord('n1'))
  await registry.join(nodeRecord('n2'))
  await registry.close()
  t.strictSame(await redis.keys('*'), ['{cobrowse}:meta'])
  t.strictSame(countListeners(), before)
  t.equal(own.status, 'ready', 'the host’s client stays open')
})

t.test('abandoned commands – all failures are handled', async (t) => {
  t.strictSame(unhandled, [])
})
