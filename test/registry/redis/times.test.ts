import t from 'tap'
import { RegistrySettlingError } from '../../../lib/errors.js'
import { connect, FAST, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { Test } from 'tap'
import type { Registry } from '../../../types/index.js'

const META = '{cobrowse}:meta'
const SLOW = { heartbeat: 1000, lease: 4000, linger: 3 }
/** Heartbeats so rare that the shorter settling is over before the next one. */
const SELDOM = { heartbeat: 30_000, lease: 60_000, linger: 3 }
const settlingOf = ({ lease, heartbeat, linger }: typeof FAST) => Math.max(lease, linger * 1000) + 2 * heartbeat

async function setUp (t: Test) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const make = (times: typeof FAST) => makeRegistry(t, connect(t, server.port), times)
  const meta = async () => await redis.hgetall(META)
  const settledAt = async () => Number((await meta()).settledAt)
  return { redis, make, meta, settledAt }
}

const isSettling = async (registry: Registry) =>
  await registry.assign(newRoom()).then(() => false, (error) => error instanceof RegistrySettlingError)

const timesIn = (meta: Record<string, string>) =>
  [meta.lease, meta.heartbeat, meta.linger].map((text) => text?.replace(/ \d+$/, ''))

t.test('processes with different times – store that lost its memory – settles by the longer ones', {
  skip: withoutRedis
}, async (t) => {
  for (const [first, second] of [[FAST, SLOW], [SLOW, FAST]] as const) {
    const { redis, make, meta, settledAt } = await setUp(t)
    const [one, other] = [make(first), make(second)]
    await redis.flushall()
    const before = Date.now()
    t.ok(await isSettling(one))
    t.ok(await isSettling(other))
    t.ok(await settledAt() >= before + settlingOf(SLOW), 'the same for either first caller')
    t.ok(await settledAt() < Date.now() + settlingOf(SLOW) + 500)
    t.strictSame(timesIn(await meta()), ['4000', '1000', '3000'])
  }
})

t.test('a process with longer times – silent since the store lost its memory – is remembered by the others', {
  skip: withoutRedis
}, async (t) => {
  const { redis, make, settledAt } = await setUp(t)
  const [seldom, often] = [make(SELDOM), make(FAST)]
  await seldom.join(nodeRecord('n1'))
  watch(often)
  await until(() => often.nodes().length === 1)
  await redis.flushall()
  const before = Date.now()
  await until(async () => await settledAt() > 0)
  t.ok(await settledAt() >= before + settlingOf(SELDOM) - 1000)
})

t.test('a lease – granted to a process with shorter times – lasts as long as the others assume', {
  skip: withoutRedis
}, async (t) => {
  const { redis, make } = await setUp(t)
  await make(SLOW).assign(newRoom()).catch(() => {})
  const { incarnation } = await make(FAST).join(nodeRecord('n1'))
  const left = Number(await redis.zscore('{cobrowse}:leases', `n1|${incarnation}`)) - Date.now()
  t.ok(left > SLOW.lease - 1000, `${left} ms`)
})

t.test('a process with shorter times – warns once, with both', { skip: withoutRedis }, async (t) => {
  const { make } = await setUp(t)
  const [short, long] = [make(FAST), make(SLOW)]
  const [ofShort, ofLong] = [watch(short), watch(long)]
  const own = { lease: FAST.lease, heartbeat: FAST.heartbeat, linger: FAST.linger * 1000 }
  const inForce = { lease: SLOW.lease, heartbeat: SLOW.heartbeat, linger: SLOW.linger * 1000 }
  await until(() => ofShort.warnings.length > 0)
  let reads = 0
  let lastAge = 0
  await until(() => {
    const age = short.status().viewAgeMs ?? 0
    if (age < lastAge) reads++
    lastAge = age
    return reads > 2
  }, 'more readings of the nodes')
  t.strictSame(ofShort.warnings, [{ own, inForce }])
  t.strictSame(ofLong.warnings, [])
})

t.test('longer times – reported while nothing settles – cause no settling, and expire ten minutes after their last process', {
  skip: withoutRedis
}, async (t) => {
  const { redis, make, meta } = await setUp(t)
  await make(FAST).join(nodeRecord('n1'))
  const gateway = make(FAST)
  await gateway.assign(newRoom())
  await make(SLOW).assign(newRoom())
  await gateway.assign(newRoom())
  t.strictSame(timesIn(await meta()), ['4000', '1000', '3000'])
  const justNow = Date.now() - 590_000
  await redis.hset(META, 'lease', `4000 ${justNow}`, 'heartbeat', `1000 ${justNow}`, 'linger', `3000 ${justNow}`)
  await gateway.assign(newRoom())
  t.strictSame(timesIn(await meta()), ['4000', '1000', '3000'])
  const longAgo = Date.now() - 600_001
  await redis.hset(META, 'lease', `4000 ${longAgo}`, 'heartbeat', `1000 ${longAgo}`)
  await gateway.assign(newRoom())
  t.strictSame(timesIn(await meta()), ['1500', '200', '3000'])
})
