import t from 'tap'
import { connect, makeRegistry, skipSettling } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'

const FIELDS = [
  'epoch', 'replid', 'settledAt', 'yieldUntil', 'beat', 'quiet', 'mark', 'times', 'timesAt', 'lease', 'heartbeat', 'linger',
  'unknown'
]
const TEXTS = [
  '', '|', 'x', 'an-epoch|of-22-letters', 'an epoch of 22 letters', '-1', '1.5', 'nan', 'inf', '-inf', '1e300', '0x7f', ' 1',
  '99999999999999999999', '999999999999999', '1 1', '6000 99999999999999', '99999999999999 1', 'ä', '\0', '%d'
]
/** Keys of a deployment, each with its type. */
const KEYS = {
  leases: 'sorted set', nodes: 'hash', meta: 'hash', ids: 'hash', releases: 'sorted set', ended: 'sorted set'
}
const TYPES: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
  string: async (redis, key) => await redis.set(key, 'x'),
  list: async (redis, key) => await redis.lpush(key, 'x'),
  set: async (redis, key) => await redis.sadd(key, 'x'),
  hash: async (redis, key) => await redis.hset(key, 'x', 'y'),
  'sorted set': async (redis, key) => await redis.zadd(key, 1, 'x'),
  stream: async (redis, key) => await redis.xadd(key, '*', 'x', 'y')
}
/** Lease that a busy machine keeps while all the others run at once. */
const TIMES = { heartbeat: 500, lease: 10_000, linger: 1 }
const SETTLING_MS = TIMES.lease + 2 * TIMES.heartbeat

/**
 * Damages a deployment, and checks that it recovers: open rooms go on, new ones are assigned, calls end, nodes join.
 */
async function heals (t: Test, redis: Redis, prefix: string, damage: () => Promise<unknown>): Promise<void> {
  await skipSettling(redis, prefix)
  const make = () => makeRegistry(t, redis, { prefix, ...TIMES })
  const [nodes, gateway] = [make(), make()]
  const member = await until(async () => await nodes.join(nodeRecord('n1')).catch(() => null), `a node of ${prefix}`)
  const lost: string[] = []
  for (const event of ['lapsed', 'lost', 'replaced'] as const) member.on(event, () => lost.push(event))
  const open = newRoom()
  await until(async () => await member.claim(open).catch(() => '') === 'ok')
  await damage()
  // The first request may fail and repair the damage; the second shows whether the store settles.
  for (let calls = 0; calls < 2; calls++) await gateway.assign(newRoom()).catch(() => {})
  const settledAt = Number(await redis.hget(`${prefix}:meta`, 'settledAt'))
  t.ok(settledAt < Date.now() + SETTLING_MS + 100, `${prefix} settles until ${settledAt}`)
  // Skips the settling time, within which the node is back.
  const lease = async () => await redis.zscore(`${prefix}:leases`, `n1|${member.incarnation}`).catch(() => null)
  await until(lease, `the lease of ${prefix}`)
  await redis.hset(`${prefix}:meta`, 'settledAt', '0', 'yieldUntil', '0')
  const answers = async () => {
    const given = [await gateway.assign(newRoom()), await gateway.assign(open)]
    return given.every(({ node }) => node.incarnation === member.incarnation)
  }
  await until(async () => await answers().catch(() => false), `new and open rooms of ${prefix}`)
  await until(async () => await nodes.join(nodeRecord('n2')).catch(() => null), `a new node of ${prefix}`)
  const over = newRoom()
  await until(async () => await member.claim(over).catch(() => '') === 'ok', `a claim of ${prefix}`)
  const end = async () => await gateway.end?.(over).then(() => true, () => false)
  await until(end, `an end of ${prefix}`)
  await until(() => !member.holds(over), `the notice of an end in ${prefix}`)
  t.strictSame([member.holds(open), lost], [true, []], prefix)
}

t.test('a damaged field of the metadata – any content – heals within a settling, and no open room is touched', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  const key = (prefix: string) => `${prefix}:meta`
  const cases = FIELDS.flatMap((field) => TEXTS.map((text) => ({ field, text })))
  for (let at = 0; at < cases.length; at += 45) {
    await Promise.all(cases.slice(at, at + 45).map(async ({ field, text }, index) => {
      const prefix = `{${field} ${at + index}}`
      await heals(t, redis, prefix, async () => await redis.hset(key(prefix), field, text))
    }))
  }
})

t.test('a damaged key – any other type – heals within a settling, and no open room is touched', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await Promise.all(Object.entries(KEYS).flatMap(([name, own]) => Object.entries(TYPES).map(async ([type, make]) => {
    if (type === own) return
    const prefix = `{${name} ${type}}`
    const key = `${prefix}:${name}`
    await heals(t, redis, prefix, async () => {
      await redis.del(key)
      await make(redis, key)
    })
  })))
})

t.test('an unreadable binding – is repaired by the node with the open room, and otherwise expires', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  // A binding that is not repaired expires after the end of this test.
  const lasting = { prefix: '{lasting}', linger: 60 }
  await skipSettling(redis, lasting.prefix)
  await skipSettling(redis)
  const [nodes, gateway] = [makeRegistry(t, redis, lasting), makeRegistry(t, redis, lasting)]
  const member = await nodes.join(nodeRecord('n1'))
  const roomKeys = async () => await redis.keys('*:room:*')
  const spoil = async (make: (key: string) => Promise<unknown>) => {
    const [key = ''] = await roomKeys()
    await make('spoiled')
    await redis.rename('spoiled', key)
  }
  const spoils = [
    ...['', 'x', '|', '||||', 'a|b|c|d|e', '\0'].map((text) => async (key: string) => await redis.set(key, text)),
    ...Object.values(TYPES).map((make) => async (key: string) => await make(redis, key))
  ]
  for (const make of spoils) {
    const room = newRoom()
    t.equal(await member.claim(room), 'ok')
    await spoil(make)
    const asked = async () => (await gateway.assign(room).catch(() => null))?.node.incarnation
    t.equal(await until(asked, 'an answer'), member.incarnation)
    t.equal(member.holds(room), true)
    await member.release(room)
    await redis.del(await roomKeys())
  }
  const ending = makeRegistry(t, redis)
  await ending.join(nodeRecord('n1'))
  const room = newRoom()
  await ending.assign(room)
  await spoil(async (key) => await redis.set(key, 'x'))
  await t.rejects(ending.assign(room), { code: 'FST_COBROWSE_50302' })
  t.equal((await until(async () => await ending.assign(room).catch(() => null), 'its end')).node.id, 'n1')
})
