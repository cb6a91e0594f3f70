import t from 'tap'
import { connect, FAST, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'

/** Interval without heartbeats during a test; `drain` sends one on demand. */
const RARE = { heartbeat: 20_000, lease: 60_000 }

async function setUp (t: Test, times: { heartbeat?: number, lease?: number } = {}) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const gateway = makeRegistry(t, connect(t, server.port), times)
  const member = await makeRegistry(t, connect(t, server.port), times).join(nodeRecord('n1'))
  const events: string[] = []
  for (const event of ['lapsed', 'lost', 'ended'] as const) member.on(event, () => events.push(event))
  const open = async (count: number) => {
    const rooms = Array.from({ length: count }, () => newRoom())
    for (const room of rooms) t.equal(await member.claim(room), 'ok')
    return rooms
  }
  return { redis, gateway, member, events, open }
}

const roomKeys = async (redis: Redis) => await redis.keys('*:room:*')
/** Deletes all bindings, as a server short of memory does. */
const evict = async (redis: Redis) => await redis.del(await roomKeys(redis))

t.test('open rooms – bindings evicted – are claimed again, and no client is sent elsewhere', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway, member, events, open } = await setUp(t)
  const rooms = await open(20)
  await makeRegistry(t, redis).join(nodeRecord('n2'))
  await evict(redis)
  await until(async () => (await roomKeys(redis)).length === rooms.length, 'claims')
  for (const room of rooms) t.equal((await gateway.assign(room)).node.incarnation, member.incarnation)
  t.strictSame(events, [])
})

t.test('many open rooms – all bindings evicted – are claimed again in turn, within three heartbeats', {
  skip: withoutRedis
}, async (t) => {
  const { redis, member, open } = await setUp(t, RARE)
  await open(900)
  await evict(redis)
  for (const count of [300, 600, 900]) {
    await member.undrain()
    await until(async () => (await roomKeys(redis)).length >= count, `${count} claims`)
    t.equal((await roomKeys(redis)).length, count)
  }
})

t.test('claims – long before they expire – are made again', { skip: withoutRedis }, async (t) => {
  const { redis, member, open } = await setUp(t, RARE)
  await open(1)
  const [key = ''] = await roomKeys(redis)
  await redis.pexpire(key, 50_000)
  await member.undrain()
  await until(async () => await redis.pttl(key) > 80_000)
})

t.test('a Redis that may evict rooms – at the start – causes one warning', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t, '--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
  const redis = connect(t, port)
  await skipSettling(redis)
  const { warnings } = watch(makeRegistry(t, redis))
  await until(() => warnings.length > 0)
  t.strictSame(warnings, [{ policy: 'allkeys-lru' }])
  await redis.config('SET', 'maxmemory-policy', 'volatile-ttl')
  await redis.flushall()
  await until(() => JSON.stringify(warnings).includes('volatile-ttl'), 'the warning about another policy, in a new epoch')
  t.equal(warnings.filter((warning) => JSON.stringify(warning).includes('policy')).length, 2)
})

t.test('a Redis that evicts nothing, or does not show its policy – causes no warning', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  await redis.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-info', '-config')
  const limited = connect(t, port, { username: 'limited', password: 'secret', enableReadyCheck: false })
  const [good, unsaid] = [makeRegistry(t, redis), makeRegistry(t, limited)]
  const [ofGood, ofUnsaid] = [watch(good), watch(unsaid)]
  const readings = new Set<number>()
  await until(() => {
    for (const registry of [good, unsaid]) readings.add(registry.status().viewAgeMs ?? 0)
    return readings.size > 2 * FAST.heartbeat / 50 && ofUnsaid.warnings.length > 0
  }, 'some readings of the nodes')
  t.strictSame(ofGood.warnings, [])
  t.equal(ofUnsaid.warnings.length, 1)
  t.match(ofUnsaid.warnings, [/INFO replication/])
})
