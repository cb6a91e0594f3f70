import t from 'tap'
import { REDIS_SETTINGS } from '../../../demo/redis-settings.js'
import { elapse } from '../../support/elapse.js'
import { connect, makeRegistry, skipSettling } from '../../support/redis-registry.js'
import { REDIS_CLIENTS } from '../../support/redis-clients.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { startSwitchableProxy } from '../../support/switchable-proxy.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import type { RedisOptions } from 'ioredis'
import type { Test } from 'tap'
import type { RedisScripter, Registry } from '../../../types/index.js'

const withSettings = (options: RedisOptions) => async (t: Test, port: number): Promise<RedisScripter> =>
  connect(t, port, options)

/** Settings of ioredis, those of the README and others that a host may have, and other clients. */
const CLIENTS: Record<string, ReturnType<typeof withSettings>> = {
  'the settings of the README': withSettings(REDIS_SETTINGS),
  'no queue and no retries': withSettings({ enableOfflineQueue: false, maxRetriesPerRequest: 0 }),
  ...REDIS_CLIENTS
}

const AT_ONCE = ['--repl-diskless-sync-delay', '0']

/** Starts a primary and its replica, which swap roles behind one address. */
async function startPair (t: Test) {
  const [first, second] = await Promise.all([startRedis(t, ...AT_ONCE), startRedis(t, ...AT_ONCE)])
  const [primary, replica] = [connect(t, first.port), connect(t, second.port)]
  await replica.replicaof('127.0.0.1', first.port)
  await skipSettling(primary)
  await until(async () => (await replica.info('replication')).includes('master_link_status:up'), 'the replica to attach')
  const address = await startSwitchableProxy(t, first.port)
  return {
    address,
    demote: async () => await primary.replicaof('127.0.0.1', second.port),
    async failOver () {
      await replica.replicaof('NO', 'ONE')
      await primary.replicaof('127.0.0.1', second.port)
      address.leadTo(second.port)
    }
  }
}

const isGiven = async (registry: Registry) => await registry.assign(newRoom()).then(() => true, () => false)

t.test('a fail-over that keeps connections open – a registry and a node find the new primary', {
  skip: withoutRedis
}, async (t) => {
  t.jobs = 2
  for (const [name, connectClient] of Object.entries(CLIENTS)) {
    t.test(`with ${name}`, async (t) => {
      const { address, failOver } = await startPair(t)
      const ofGateway = await connectClient(t, address.port)
      const ofNode = await connectClient(t, address.port)
      await until(() => ofGateway.status === 'ready' && ofNode.status === 'ready', 'the clients to be ready')
      const gateway = makeRegistry(t, ofGateway)
      const member = await makeRegistry(t, ofNode).join(nodeRecord('n1'))
      await until(async () => await isGiven(gateway), 'an assigned room')
      await failOver()
      await until(async () => await isGiven(gateway), 'a room assigned by the new primary')
      await until(() => member.valid(), 'a valid lease at the new primary')
      t.ok(address.connections() <= 8, `${address.connections()} connections were made`)
    })
  }
})

t.test('a server that stays a replica – client shared with the host – the client is not disturbed', { skip: withoutRedis }, async (t) => {
  const { address, demote } = await startPair(t)
  const shared = connect(t, address.port)
  const registries = [makeRegistry(t, shared), makeRegistry(t, shared)]
  await until(() => shared.status === 'ready', 'the client to be ready')
  await demote()
  const reads: Array<Promise<unknown>> = []
  const using = setInterval(() => {
    for (const registry of registries) isGiven(registry)
    reads.push(shared.get('of the host').catch((error) => error))
  }, 20)
  await elapse(3000, 'time for rejected commands to cause reconnects')
  clearInterval(using)
  const answers = await Promise.all(reads)
  t.ok(address.connections() <= 4, `${address.connections()} connections in 3 s`)
  t.strictSame(answers.filter((answer) => answer !== null), [], 'the host\'s own reads are all answered')
})

t.test('a client that would not reconnect – server stays a replica – is not disconnected', {
  skip: withoutRedis
}, async (t) => {
  const { address, demote } = await startPair(t)
  const redis = connect(t, address.port, { retryStrategy: null })
  const registry = makeRegistry(t, redis)
  await until(() => redis.status === 'ready', 'the client to be ready')
  await demote()
  for (let asked = 0; asked < 5; asked++) t.equal(await isGiven(registry), false)
  t.equal(redis.status, 'ready')
})

t.test('connections dropped again and again – settings of the README – answer more than the defaults of ioredis', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  await makeRegistry(t, redis, { lease: 6000 }).join(nodeRecord('n1'))
  const address = await startSwitchableProxy(t, port)
  const share = async (options: RedisOptions) => {
    const registry = makeRegistry(t, connect(t, address.port, options))
    await until(async () => await isGiven(registry), 'an assigned room')
    const cutting = setInterval(address.cut, 150)
    const asked: Array<Promise<boolean>> = []
    const asking = setInterval(() => asked.push(isGiven(registry)), 20)
    await elapse(2000, 'a dozen cuts under requests')
    clearInterval(asking)
    clearInterval(cutting)
    return (await Promise.all(asked)).filter(Boolean).length / asked.length
  }
  const [ours, others] = [await share(REDIS_SETTINGS), await share({})]
  t.ok(ours > others, `${Math.round(100 * ours)} % and ${Math.round(100 * others)} %`)
})
