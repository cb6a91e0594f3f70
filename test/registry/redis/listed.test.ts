import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { NoLiveNodeError, RegistrySettlingError } from '../../../lib/errors.js'
import { connect, EPOCH, GONE_AFTER_MS, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { assignMany, idsOf, newRoom, nodeRecord } from '../contract.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { ListedNodes, RedisRegistryOptions, Registry } from '../../../types/index.js'

/** One way in which an existing deployment may list its nodes. */
interface Layout {
  name: string
  listed: ListedNodes
  list (redis: Redis, id: string, text: string): Promise<unknown>
  unlist (redis: Redis, id: string): Promise<unknown>
}

const HASH = 'relay:nodes'
const KEYS = 'relay:node:'

const LAYOUTS: Layout[] = [{
  name: 'in a hash',
  listed: { hash: HASH },
  list: async (redis, id, text) => await redis.hset(HASH, id, text),
  unlist: async (redis, id) => await redis.hdel(HASH, id)
}, {
  name: 'in keys of their own',
  listed: { keys: KEYS },
  list: async (redis, id, text) => await redis.set(KEYS + id, text),
  unlist: async (redis, id) => await redis.del(KEYS + id)
}]

const recordOf = (id: string, more = {}) => {
  const { id: _id, ...record } = nodeRecord(id, more)
  return JSON.stringify(record)
}

async function setUp (t: Test, layout: Layout, options: Omit<RedisRegistryOptions, 'redis'> = {}) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const make = () => makeRegistry(t, connect(t, server.port), { listed: layout.listed, ...options })
  return {
    redis,
    make,
    gateway: make(),
    list: async (id: string, text = recordOf(id)) => await layout.list(redis, id, text),
    unlist: async (id: string) => await layout.unlist(redis, id)
  }
}

const nodeOf = async (gateway: Registry, room = newRoom()) => (await gateway.assign(room)).node.id

for (const layout of LAYOUTS) {
  t.test(`nodes that something else lists ${layout.name}`, { skip: withoutRedis }, async (t) => {
    t.test('get rooms under a name without an incarnation, the same through every gateway', async (t) => {
      const { make, gateway, list } = await setUp(t, layout)
      await list('n1', recordOf('n1', { wssUrlOut: 'wss://out.example/n1' }))
      const before = Date.now()
      const { node, issuedAt } = await gateway.assign(newRoom())
      t.strictSame(node, {
        id: 'n1', incarnation: '-', wssUrl: 'wss://n1.example/ws/cobrowse/1', wssUrlOut: 'wss://out.example/n1'
      })
      t.ok(issuedAt >= before - 1 && issuedAt <= Date.now() + 1, 'dated by the store')
      for (const id of ['n2', 'n3', 'n4']) await list(id)
      const gateways = [gateway, make(), make()]
      await until(async () => idsOf(await assignMany(gateway, 20)).length === 4)
      for (let count = 0; count < 50; count++) {
        const room = newRoom()
        const assignments = await Promise.all(gateways.map(async (gateway) => await gateway.assign(room)))
        t.equal(idsOf(assignments).length, 1)
      }
    })

    t.test('all of them are found where they are many, beside keys that are not theirs', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await redis.rpush(`${KEYS}queue`, 'not a record')
      await redis.mset(Object.fromEntries(Array.from({ length: 1500 }, (_value, at) => [`other:${at}`, 'x'])))
      const ids = Array.from({ length: 1200 }, (_value, at) => `n${at + 1000}`)
      await Promise.all(ids.map(async (id) => await list(id)))
      await gateway.assign(newRoom())
      t.strictSame([...new Set(gateway.nodes().map(({ id }) => id))].sort(), ids)
    })

    t.test('a room stays while its node is listed, and moves when it is not', async (t) => {
      const { gateway, list, unlist } = await setUp(t, layout)
      await list('n1')
      await list('n2')
      const room = newRoom()
      const first = await nodeOf(gateway, room)
      t.equal(await nodeOf(gateway, room), first)
      await unlist(first)
      const second = await nodeOf(gateway, room)
      t.not(second, first)
      await list(first)
      t.equal(await nodeOf(gateway, room), second)
      await unlist(first)
      await unlist(second)
      await t.rejects(gateway.assign(room), NoLiveNodeError)
    })

    t.test('a room that nobody asked for is given anew after the linger', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await list('n1')
      await gateway.assign(newRoom())
      t.equal((await redis.keys('*:room:*')).length, 1)
      await sleep(GONE_AFTER_MS)
      t.strictSame(await redis.keys('*:room:*'), [])
    })

    t.test('a store with a new epoch settles for new rooms, and keeps those that it still knows', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await list('n1')
      await list('n2')
      const room = newRoom()
      const before = await nodeOf(gateway, room)
      await redis.hset('{cobrowse}:meta', 'epoch', EPOCH.toUpperCase())
      t.equal(await nodeOf(gateway, room), before, 'nobody claims it again, so the old binding is the best there is')
      await redis.del('{cobrowse}:meta')
      await t.rejects(gateway.assign(newRoom()), RegistrySettlingError)
      t.equal(await nodeOf(gateway, room), before)
    })

    t.test('records in another form are read by parse, and one that it cannot read spoils nothing', async (t) => {
      const parse: RedisRegistryOptions['parse'] = (text, id) => {
        if (text === 'garbage') throw new Error('secret words')
        return { wssUrl: `wss://${text}/ws/cobrowse/${id}` }
      }
      const { gateway, list } = await setUp(t, layout, { parse })
      await list('n1', 'one.example:8443')
      await list('n2', 'garbage')
      await list('n3', 'x'.repeat(5000))
      await list('n/4', 'four.example')
      const { warnings } = watch(gateway)
      const rooms = Array.from({ length: 20 }, () => newRoom())
      for (const room of rooms) {
        const { node } = await gateway.assign(room)
        t.strictSame(node, { id: 'n1', incarnation: '-', wssUrl: 'wss://one.example:8443/ws/cobrowse/n1' })
      }
      await list('n1', 'garbage')
      const asked = await gateway.assign(rooms[0] ?? newRoom())
      t.equal(asked.node.wssUrl, 'wss://one.example:8443/ws/cobrowse/n1', 'the last good record of a bound node holds')
      const reasons = warnings.map((warning) => JSON.stringify(warning))
      t.match(reasons.find((reason) => reason.includes('n2')), /cannot be parsed/)
      t.match(reasons.find((reason) => reason.includes('n3')), /must not be longer than 4096 bytes/)
      t.match(reasons.find((reason) => reason.includes('n/4')), /must be 1 to 64 of/)
      t.notMatch(reasons.join(), /secret words|one\.example|xxx/)
    })

    t.test('cannot be joined through this registry', async (t) => {
      const { gateway } = await setUp(t, layout)
      await t.rejects(gateway.join(nodeRecord('n1')), {
        name: 'TypeError', message: '"listed" option of redisRegistry: its nodes register by themselves'
      })
    })
  })
}

t.test('what should list the nodes and is something else is said, and no room is given', { skip: withoutRedis }, async (t) => {
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
  await until(() => gateway.status().state === 'up')
  t.equal(await nodeOf(gateway), 'n1')
})
