import t from 'tap'
import { NoLiveNodeError, RegistrySettlingError } from '../../../lib/errors.js'
import { connect, EPOCH, FAST, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { RedisScripter } from '../../../types/index.js'

const HOUR = 3_600_000
const META = '{cobrowse}:meta'
const LEASES = '{cobrowse}:leases'
/** Interval without heartbeats during a test; `drain` sends one on demand. */
const RARE = { heartbeat: 20_000, lease: 60_000 }

async function setUp (t: Test) {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  return { port, redis, gateway: makeRegistry(t, connect(t, port)) }
}

const keyOf = async (redis: Redis) => (await redis.keys('*:room:*'))[0] ?? ''
const nameIn = (key: string) => key.split(':').at(-1) ?? ''

/** Sets the clock of the store ahead, as far as a node can tell from the answers. */
function aheadBy (redis: Redis, ahead: { ms: number }): RedisScripter {
  const shift = (answer: unknown) => Array.isArray(answer) && answer[0] === 'ok'
    ? ['ok', Number(answer[1]) + ahead.ms, ...answer.slice(2)]
    : answer
  return {
    get status () {
      return redis.status
    },
    eval: async (...args) => shift(await redis.eval(...args)),
    evalsha: async (...args) => shift(await redis.evalsha(...args))
  }
}

t.test('a dead node – lease from before the clock was set back – is dead one lease later', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway } = await setUp(t)
  const room = newRoom()
  await redis.zadd(LEASES, Date.now() + HOUR, 'dead|x', '+inf', 'undead|x')
  await redis.hset('{cobrowse}:nodes', 'dead|x', '{"wssUrl":"wss://10.0.0.1/"}', 'undead|x', '{"wssUrl":"wss://10.0.0.2/"}')
  t.not((await gateway.assign(room)).node.id, 'n1')
  t.ok(Number(await redis.zscore(LEASES, 'dead|x')) <= Date.now() + FAST.lease + 500)
  const { incarnation } = await makeRegistry(t, redis).join(nodeRecord('n1'))
  await until(async () => (await gateway.assign(room).catch(() => null))?.node.incarnation === incarnation)
  watch(gateway)
  await until(() => gateway.nodes().map(({ id }) => id).join() === 'n1', 'a list of live nodes only')
})

t.test('a live node – clock set back – goes on', { skip: withoutRedis }, async (t) => {
  const { redis, gateway } = await setUp(t)
  const member = await makeRegistry(t, redis).join(nodeRecord('n1'))
  const events: string[] = []
  for (const event of ['lapsed', 'lost', 'ended'] as const) member.on(event, () => events.push(event))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  const ahead = Date.now() + HOUR
  await redis.zadd(LEASES, ahead, `n1|${member.incarnation}`)
  await redis.hset(META, 'beat', ahead, 'quiet', ahead, 'settledAt', ahead, 'yieldUntil', ahead, 'mark', ahead)
  await until(async () => await gateway.assign(newRoom()).catch(() => null))
  t.equal((await gateway.assign(room)).node.incarnation, member.incarnation)
  t.strictSame(events, [])
  t.equal((await redis.hgetall(META)).epoch, EPOCH, 'the epoch stays')
})

t.test('a silence of all nodes – last heartbeat from before the clock was set back – is noticed', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway } = await setUp(t)
  await redis.zadd(LEASES, Date.now() - 1, 'n1|x')
  await redis.hset(META, 'beat', Date.now() + HOUR, 'quiet', Date.now() + HOUR)
  const fails = async (kind: typeof NoLiveNodeError | typeof RegistrySettlingError) =>
    await gateway.assign(newRoom()).catch((error) => error instanceof kind)
  await until(async () => await fails(RegistrySettlingError), 'settling')
  await until(async () => await fails(NoLiveNodeError), 'its end')
})

t.test('a call that ended – before the clock was set back – rejects no later signature', {
  skip: withoutRedis
}, async (t) => {
  const { redis, gateway } = await setUp(t)
  const member = await makeRegistry(t, redis, RARE).join(nodeRecord('n1'))
  const room = newRoom()
  const { issuedAt } = await gateway.assign(room)
  const name = nameIn(await keyOf(redis))
  const ahead = Date.now() + HOUR
  await redis.zadd('{cobrowse}:ended', ahead, name)
  await redis.zadd('{cobrowse}:releases', 0, `n1|${name}|${ahead}`)
  t.equal(await member.claim(room, { issuedAt: (ahead - 5000) / 1000 }), 'ended', 'earlier signatures are rejected')
  t.equal(await member.claim(newRoom()), 'ok')
  await member.undrain()
  t.equal(await member.claim(room, { issuedAt: issuedAt / 1000 }), 'ok')
  await member.undrain()
  t.equal(member.holds(room), true)
})

t.test('a call that ends – after the clock was set back – ends in a room from before', {
  skip: withoutRedis
}, async (t) => {
  const { port, redis, gateway } = await setUp(t)
  const ahead = { ms: HOUR }
  const member = await makeRegistry(t, aheadBy(connect(t, port), ahead), RARE).join(nodeRecord('n1'))
  const ended: unknown[] = []
  member.on('ended', (room) => ended.push(room))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  ahead.ms = 0
  await member.undrain()
  t.equal(member.holds(room), true)
  await gateway.end?.(room)
  await member.undrain()
  t.strictSame(ended, [room])
  t.equal(await member.claim(room, { issuedAt: Date.now() / 1000 + 1 }), 'ok', 'the next call opens it')
  t.ok(await redis.exists(LEASES))
})
