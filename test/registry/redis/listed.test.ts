import { Cluster } from 'ioredis'
import t from 'tap'
import { RegistrySettlingError } from '../../../lib/errors.js'
import { redisRegistry } from '../../../lib/registry/redis.js'
import { newRoom, nodeOf, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { listedContract } from '../../../lib/testing/index.js'
import { elapse } from '../../support/elapse.js'
import {
  connect, EPOCH, FAST, makeRegistry, skipSettling, SLACK_MS, timesOf, watch
} from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { eventually, until } from '../../support/until.js'
import { readListedRecords } from '../read-listed-records.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { MakeListed } from '../../../types/contracts.js'
import type { ListedNodes, RedisRegistryOptions } from '../../../types/index.js'

/** Ways in which an existing deployment may list its nodes. */
interface Layout {
  name: string
  listed: ListedNodes
  list (redis: Redis, id: string, text: string): Promise<unknown>
  unlist (redis: Redis, id: string): Promise<unknown>
}

/** Last part of the key of room r1 of tenant t1, as docs/relay-nodes.md gives it. */
const KEY_OF_R1 = 'iE9F1qzdF8WNrryTI9A7rJ-pYA3NylNz_CM5sPYwCW8'

const HASH = 'relay:nodes'
const KEYS = 'relay:node:'

const inHash = (hash = HASH): Layout => ({
  name: 'in a hash',
  listed: { hash },
  list: async (redis, id, text) => await redis.hset(hash, id, text),
  unlist: async (redis, id) => await redis.hdel(hash, id)
})
const inKeys = (keys = KEYS): Layout => ({
  name: 'in keys of their own',
  listed: { keys },
  list: async (redis, id, text) => await redis.set(keys + id, text),
  unlist: async (redis, id) => await redis.del(keys + id)
})

const recordOf = (id: string, more = {}) => {
  const { id: _id, ...record } = nodeRecord(id, more)
  return JSON.stringify(record)
}

async function setUp (t: Test, layout: Layout, options: Pick<RedisRegistryOptions, 'parse'> = {}) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const make = () => makeRegistry(t, connect(t, server.port), { listed: layout.listed, ...options })
  const list = async (id: string, text = recordOf(id)) => await layout.list(redis, id, text)
  return {
    redis,
    make,
    gateway: make(),
    list,
    unlist: async (id: string) => await layout.unlist(redis, id)
  }
}

for (const makeLayout of [inHash, inKeys]) {
  const layout = makeLayout()
  t.test(`nodes listed by another program ${layout.name}`, { skip: withoutRedis }, async (t) => {
    t.jobs = 4
    t.test('contract', async (t) => {
      t.jobs = 8
      const server = await startRedis(t)
      const redis = connect(t, server.port)
      let last = 0
      const make: MakeListed = async (times) => {
        const prefix = `{test-${++last}}`
        const own = makeLayout(`${prefix}relay:`)
        await skipSettling(redis, prefix)
        const another = () => redisRegistry({ redis, prefix, listed: own.listed, ...timesOf(times) })
        return {
          registry: another(),
          another,
          list: async (id, wssUrl) => await own.list(redis, id, recordOf(id, { wssUrl })),
          spoil: async (id, secret) => await own.list(redis, id, secret),
          unlist: async (id) => await own.unlist(redis, id)
        }
      }
      await listedContract({ test: t.test, slack: SLACK_MS }, make)
    })

    readListedRecords(t, 'redisRegistry', async (t, parse) => {
      const { gateway, list } = await setUp(t, layout, { parse })
      return { gateway, list, relist: list }
    })

    t.test('a listed node – may have an external address', async (t) => {
      const { gateway, list } = await setUp(t, layout)
      await list('n1', recordOf('n1', { wssUrlOut: 'wss://out.example/n1' }))
      t.equal((await gateway.assign(newRoom())).node.wssUrlOut, 'wss://out.example/n1')
    })

    t.test('a listed node – whose record says that it drains – gets no new rooms, and keeps its own', async (t) => {
      const { gateway, list } = await setUp(t, layout)
      watch(gateway)
      await list('n1')
      await eventually(() => gateway.nodes().length, 1)
      const room = newRoom()
      t.equal((await gateway.assign(room)).node.id, 'n1')
      await list('n2')
      await list('n1', recordOf('n1', { draining: true }))
      await until(() => gateway.nodes().some(({ id, draining }) => id === 'n1' && draining), 'the record that drains')
      for (let count = 0; count < 5; count++) t.equal((await gateway.assign(newRoom())).node.id, 'n2')
      t.equal((await gateway.assign(room)).node.id, 'n1')
    })

    t.test('the end of a call – can be read by a listed node where the page says', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await list('n1')
      const room = { tenant: 't1', room: 'r1' }
      const { issuedAt } = await gateway.assign(room)
      await gateway.end?.(room)
      const ended = await redis.zrangebyscore('{cobrowse}:ended', issuedAt, '+inf', 'WITHSCORES')
      t.equal(ended[0], KEY_OF_R1)
      t.ok(Number(ended[1]) >= issuedAt, 'milliseconds, by the clock that dates the signatures')
      t.equal((await gateway.assign(room)).node.id, 'n1', 'a new call under the same id')
    })

    t.test('listed nodes – are found among many unrelated keys', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await redis.rpush(`${KEYS}queue`, 'not a record')
      await redis.mset(Object.fromEntries(Array.from({ length: 1500 }, (_value, at) => [`other:${at}`, 'x'])))
      const ids = Array.from({ length: 20 }, (_value, at) => `n${at + 10}`)
      await Promise.all(ids.map(async (id) => await list(id)))
      await gateway.assign(newRoom())
      t.strictSame([...new Set(gateway.nodes().map(({ id }) => id))].sort(), ids)
    })

    t.test('a listed node – keeps no data of rooms that were not requested', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await list('n1')
      await gateway.assign(newRoom())
      t.equal((await redis.keys('*:room:*')).length, 1)
      await eventually(async () => await redis.keys('*:room:*'), [])
    })

    t.test('a store with a new epoch – settles for new rooms, and keeps known ones', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await list('n1')
      await list('n2')
      const room = newRoom()
      const before = await nodeOf(gateway, room)
      await redis.hset('{cobrowse}:meta', 'epoch', EPOCH.toUpperCase())
      t.equal(await nodeOf(gateway, room), before, 'listed nodes claim nothing, so the old binding is kept')
      await redis.del('{cobrowse}:meta')
      await t.rejects(gateway.assign(newRoom()), RegistrySettlingError)
      t.equal(await nodeOf(gateway, room), before)
    })
  })
}

t.test('a key that should list the nodes but has another type – is reported, and no room is assigned', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  await redis.set(HASH, 'a string')
  const gateway = makeRegistry(t, connect(t, server.port), { listed: { hash: HASH } })
  const { states } = watch(gateway)
  await until(() => states.some(({ state }) => state === 'degraded'))
  t.match(states.find(({ state }) => state === 'degraded')?.reason, /list of nodes is of a wrong type/)
  await t.rejects(gateway.assign(newRoom()))
  await redis.del(HASH)
  await redis.hset(HASH, 'n1', recordOf('n1'))
  await eventually(() => gateway.status().state, 'up')
  t.equal(await nodeOf(gateway), 'n1')
})

t.test('names of listed nodes – client with a keyPrefix – are read as the same client writes them', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  for (const keyPrefix of ['app:', 'a[p]p*?\\\\', 'relay']) {
    for (const { name, listed, list } of [inHash(), inKeys()]) {
      t.test(`${name}, with ${JSON.stringify(keyPrefix)}`, async (t) => {
        const redis = connect(t, port, { keyPrefix })
        await skipSettling(redis)
        await list(redis, 'n1', recordOf('n1'))
        const registry = makeRegistry(t, redis, { listed })
        t.equal((await registry.assign(newRoom())).node.id, 'n1')
        t.strictSame(registry.nodes().map(({ id }) => id), ['n1'])
      })
    }
  }
  t.test('names of listed nodes – given in full – are read', async (t) => {
    const redis = connect(t, port, { keyPrefix: 'app:' })
    for (const listed of [{ hash: `app:${HASH}` }, { keys: `app:${KEYS}` }]) {
      t.equal((await makeRegistry(t, redis, { listed }).assign(newRoom())).node.id, 'n1')
    }
  })
})

t.test('a registry without listed nodes – reports once where it looked', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port, { keyPrefix: 'app:' })
  await skipSettling(redis)
  const registry = makeRegistry(t, redis, { listed: { hash: 'relay:nods' } })
  const { warnings } = watch(registry)
  await until(() => warnings.length > 0, 'the warning')
  await elapse(3 * FAST.heartbeat, 'the nodes are read again')
  t.strictSame(warnings, [{ listed: { hash: 'app:relay:nods' } }])
})

t.test('listed nodes on a Cluster – are found in the slot of the registry, or rejected at the start', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t, '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1')
  const admin = connect(t, port)
  await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  const isReady = async () => String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
  await until(isReady, 'the Cluster to be ready')
  const cluster = new Cluster([{ port, host: '127.0.0.1' }], { redisOptions: { keyPrefix: 'app:' } })
  cluster.on('error', () => {})
  t.teardown(() => cluster.disconnect())
  await skipSettling(cluster)
  const reason = /"listed" option of redisRegistry: on a Cluster .*\{cobrowse\}/
  for (const listed of [{ hash: 'relay:nodes' }, { keys: 'relay:node:' }, { keys: '{other}:' }, { hash: '{cobrowse' }]) {
    t.throws(() => makeRegistry(t, cluster, { listed }), reason)
  }
  await cluster.hset('{cobrowse}:relay', 'n1', recordOf('n1'))
  await cluster.set('relay:{cobrowse}:n2', recordOf('n2'))
  for (const [id, listed] of [['n1', { hash: '{cobrowse}:relay' }], ['n2', { keys: 'relay:{cobrowse}:' }]] as const) {
    t.equal((await makeRegistry(t, cluster, { listed }).assign(newRoom())).node.id, id)
  }
})
