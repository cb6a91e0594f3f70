import t from 'tap'
import { checkRedis } from '../../../lib/cli/doctor/redis.js'
import { judgeClock } from '../../../lib/cli/doctor/redis/clock.js'
import { PROBES } from '../../../lib/cli/doctor/redis/rights.js'
import { joinCobrowse } from '../../../lib/node/index.js'
import { redisRegistry } from '../../../lib/registry/redis.js'
import * as ofGateway from '../../../lib/registry/redis/scripts/gateway.js'
import * as ofNode from '../../../lib/registry/redis/scripts/node.js'
import * as ofOperator from '../../../lib/registry/redis/scripts/operator.js'
import { connect, skipSettling } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { expectFinding, TIMES, troublesIn } from './expect.js'
import type { Test } from 'tap'
import type { Redis } from 'ioredis'
import type { Finding, Subject } from '../../../lib/cli/doctor/finding.js'

// Most of a check is waiting.
t.jobs = 4

const PREFIX = '{cobrowse}'
const SIGNING = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
/** Words in capitals within the scripts that are no commands, and commands for listed nodes. */
const OTHERS = new Set(['COUNT', 'LIMIT', 'MATCH', 'MAXLEN', 'WITHSCORES', 'WRONGTYPE', 'HSCAN', 'SCAN', 'STRLEN'])

interface Deployment {
  redis: Redis
  port: number
  pause: () => void
  doctor (times?: typeof TIMES, user?: string): Promise<Finding[]>
}

/** A Redis with all its data on disk, and a node. */
async function deploy (t: Test): Promise<Deployment> {
  const server = await startRedis(t, '--appendonly', 'yes')
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const registry = redisRegistry({ redis: connect(t, server.port) })
  const node = await joinCobrowse({ registry, id: 'n1', wssUrl: 'wss://n1.example/ws', signing: SIGNING })
  t.teardown(async () => await node.close())
  return {
    redis,
    port: server.port,
    pause: server.pause,
    doctor: async (times = TIMES, user = '') => await checkRedis({
      kind: 'redis', url: new URL(`redis://${user}127.0.0.1:${server.port}`), prefix: PREFIX
    }, times)
  }
}

t.test('the probes of rights – the commands of the scripts – are the same', async (t) => {
  const texts = Object.values({ ...ofGateway, ...ofNode, ...ofOperator }).flatMap((script) => 'text' in script ? [script.text] : [])
  const used = new Set(texts.flatMap((text) => [...text.matchAll(/'([A-Z]{3,})'/g)].map(([, word = '']) => word)))
  const probed = PROBES.map((probe) => probe.split(' ')[0])
  t.strictSame(probed.sort(), [...used].filter((word) => !OTHERS.has(word)).sort())
})

t.test('doctor on Redis – clocks that differ – is a warning from a second on', async (t) => {
  expectFinding(t, [judgeClock(-900)], ['clock', 'ok', /differ by 0\.9 s/])
  expectFinding(t, [judgeClock(1500)], ['clock', 'warning', /the store is 1\.5 s ahead of this machine/])
  expectFinding(t, [judgeClock(-7200)], ['clock', 'warning', /the store is 7\.2 s behind this machine/])
})

type Plant = [fault: string, plant: (deployment: Deployment) => Promise<unknown>, subject: Subject,
  outcome: Finding['outcome'], text: RegExp]

const record = (fields: object) => JSON.stringify({ wssUrl: 'wss://n2.example/ws', ...fields })

/** Registers a second node by hand. */
async function plantNode (redis: Redis, text: string, leaseMs = 60_000): Promise<void> {
  const [seconds = 0] = await redis.time()
  await redis.hset(`${PREFIX}:nodes`, 'n2|i', text)
  await redis.zadd(`${PREFIX}:leases`, Number(seconds) * 1000 + leaseMs, 'n2|i')
}

/** Faults that are planted one after the other into one deployment; the next one takes the place of the last. */
const NODES: Plant[] = [
  ['a record that cannot be read', async ({ redis }) => await plantNode(redis, '{"wssUrl":"http://n2"}'),
    'nodes', 'fault', /gateways reject n2: .*"wssUrl"/],
  ['a lapsed node', async ({ redis }) => await plantNode(redis, record({}), -1000), 'nodes', 'warning', /not heard of.*n2/],
  ['a full node', async ({ redis }) => await plantNode(redis, record({ rooms: 2, capacity: 2 })),
    'nodes', 'warning', /2 of 2 serve, and some are full: n2/],
  ['an address of two nodes', async ({ redis }) => await plantNode(redis, record({ wssUrl: 'wss://n1.example/ws' })),
    'addresses', 'fault', /n1, n2 have the same address wss:\/\/n1\.example\/ws/],
  ['a path of two nodes', async ({ redis }) => await plantNode(redis, record({})), 'addresses', 'warning', /same path \/ws/],
  ['an address without TLS', async ({ redis }) => await plantNode(redis, record({ wssUrl: 'ws://n2.example/2' })),
    'addresses', 'warning', /without TLS.*n2/],
  ['an old order, with characters of a terminal', async ({ redis }) => await redis.hset(`${PREFIX}:orders`, 'n1', JSON.stringify({
    at: Date.now() - 3 * 86_400_000, kind: 'cordon', author: 'anna', reason: 'new \u202ekernel'
  })), 'orders', 'warning', /n1: cordon by anna 3 d ago: new .kernel \(older than a day\)/],
  ['an order for a node that is gone', async ({ redis }) => await redis.hset(`${PREFIX}:orders`, 'n9', JSON.stringify({
    at: Date.now(), kind: 'cordon', author: 'anna', reason: 'x'
  })), 'orders', 'warning', /n9: cordon by anna .*\(its node is gone\)/],
  ['other times', async ({ redis }) => await redis.hset(`${PREFIX}:meta`, 'times', '9000 2000 20000', 'lease', `9000 ${Date.now()}`),
    'times', 'warning', /lease 9000 ms.*not as expected \(lease\)/],
  ['a settling store', async ({ redis }) => await redis.hset(`${PREFIX}:meta`, 'settledAt', Date.now() + 10_000),
    'epoch', 'warning', /new rooms wait for (9|10) s/]
]

t.test('doctor on Redis – a healthy deployment, then faults of nodes and orders – names each fault', {
  skip: withoutRedis
}, async (t) => {
  const deployment = await deploy(t)
  const healthy = await deployment.doctor()
  t.strictSame(troublesIn(healthy), [])
  t.strictSame(healthy.filter(({ outcome }) => outcome === 'not checked').map(({ subject }) => subject), ['clocks of nodes'])
  expectFinding(t, healthy, ['store', 'ok', /\d+\.\d+\.\d+ at 127\.0\.0\.1:\d+ answers/])
  for (const [name, plant, ...expected] of NODES) {
    await plant(deployment)
    t.comment(name)
    expectFinding(t, await deployment.doctor(), expected)
  }
  const { redis } = deployment
  expectFinding(t, await deployment.doctor({ ...TIMES, lease: 9000 }), ['times', 'ok', /lease 9000 ms/])
  await redis.hdel(`${PREFIX}:orders`, 'n1')
  await redis.zrem(`${PREFIX}:leases`, 'n2|i')
  await redis.hset(`${PREFIX}:orders`, 'n1', JSON.stringify({ at: Date.now(), kind: 'cordon', author: 'a', reason: 'x' }))
  expectFinding(t, await deployment.doctor(), ['nodes', 'fault', /none of 1 serves/])
})

/** Faults of the server, each by a command that the next one takes back. */
const SERVER: Plant[] = [
  ['allkeys-lru', async ({ redis }) => {
    await redis.config('SET', 'maxmemory', '100mb')
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
  }, 'eviction', 'fault', /the policy is allkeys-lru: Redis may evict rooms/],
  ['allkeys-lru without a limit', async ({ redis }) => await redis.config('SET', 'maxmemory', '0'),
    'eviction', 'warning', /as soon as "maxmemory" is set/],
  ['no persistence', async ({ redis }) => await redis.config('SET', 'appendonly', 'no'),
    'persistence', 'warning', /it is off: a restart loses all orders and bindings/],
  ['snapshots', async ({ redis }) => await redis.config('SET', 'save', '3600 1'), 'persistence', 'warning', /snapshots only/],
  ['no replica of the one that writes need', async ({ redis }) => await redis.config('SET', 'min-replicas-to-write', '1'),
    'rights', 'fault', /Redis refuses writes now: NOREPLICAS/]
]

t.test('doctor on Redis – faults of the server – names each fault', { skip: withoutRedis }, async (t) => {
  const deployment = await deploy(t)
  for (const [name, plant, ...expected] of SERVER) {
    await plant(deployment)
    t.comment(name)
    expectFinding(t, await deployment.doctor(), expected)
  }
  expectFinding(t, await deployment.doctor(), ['replicas', 'fault', /Redis refuses writes/])
  await deployment.redis.config('SET', 'min-replicas-to-write', '0')
  await deployment.redis.call('FLUSHALL')
  const flushed = await until(async () => {
    const findings = await deployment.doctor()
    return findings.some(({ subject, text }) => subject === 'epoch' && /new rooms wait for 2\d s/.test(text)) && findings
  }, 'the node begins an epoch')
  expectFinding(t, flushed, ['epoch', 'warning', /lost its memory, and settles/])
})

t.test('doctor on Redis – a replica, and its primary without a condition – names both', { skip: withoutRedis }, async (t) => {
  const deployment = await deploy(t)
  const replica = await startRedis(t, '--replicaof', '127.0.0.1', String(deployment.port))
  const target = { kind: 'redis', url: new URL(replica.url), prefix: PREFIX } as const
  const findings = await until(async () => {
    const found = await deployment.doctor()
    return found.some(({ subject, outcome }) => subject === 'replicas' && outcome === 'warning') && found
  }, 'the replica connects')
  expectFinding(t, findings, ['replicas', 'warning', /1 connected, and "min-replicas-to-write" is off/])
  const ofReplica = await checkRedis(target, TIMES)
  expectFinding(t, ofReplica, ['role', 'fault', /it is no primary \(role: slave\)/])
  expectFinding(t, ofReplica, ['rights', 'fault', /READONLY/])
})

t.test('doctor on Redis – a user without some rights – names the rights, and changes no key', { skip: withoutRedis }, async (t) => {
  const { redis, doctor } = await deploy(t)
  for (const [rights, ...expected] of [
    [[`~${PREFIX}:*`, '+@all', '-zadd', '-hset'], 'rights', 'fault', /may not run HSET, ZADD/],
    [[`~${PREFIX}:*`, '+@all', '-info'], 'rights', 'warning', /may not run INFO/],
    [[`~${PREFIX}:*`, '+@all', '-evalsha'], 'rights', 'fault', /may not run EVALSHA/],
    [[`~${PREFIX}:meta`, `~${PREFIX}:nodes`, '+@all'], 'rights', 'fault', /may not use all keys of \{cobrowse\}/]
  ] as Array<[string[], Subject, Finding['outcome'], RegExp]>) {
    await redis.call('ACL', 'SETUSER', 'guest', 'reset', 'on', '>hush', ...rights)
    expectFinding(t, await doctor(TIMES, 'guest:hush@'), expected)
  }
  t.equal(await redis.exists(`${PREFIX}:room:doctor`), 0)
  const { text = '' } = (await doctor(TIMES, 'guest:wrong@')).find(({ subject }) => subject === 'store') ?? {}
  t.match(text, /WRONGPASS/)
})

t.test('doctor on Redis – a prefix that no process uses – begins no epoch', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const findings = await checkRedis({ kind: 'redis', url: new URL(server.url), prefix: '{other}' }, TIMES)
  expectFinding(t, findings, ['epoch', 'warning', /there is none/])
  expectFinding(t, findings, ['nodes', 'fault', /no node is registered/])
  t.strictSame(await connect(t, server.port).keys('*'), [])
})

t.test('doctor on Redis – a server that is stopped – says so within seconds', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  server.pause()
  t.teardown(server.resume)
  const startedAt = performance.now()
  const findings = await checkRedis({ kind: 'redis', url: new URL(server.url), prefix: PREFIX }, TIMES)
  expectFinding(t, findings, ['store', 'fault', /cannot be asked/])
  t.ok(performance.now() - startedAt < 10_000)
})
