import t from 'tap'
import { RegistrySettlingError } from '../../../lib/errors.js'
import { connect, EPOCH, GONE_AFTER_MS, makeRegistry, skipSettling, watch } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { eventually, until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../contract.js'
import { listedContract, nodeOf } from '../listed-contract.js'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { ListedNodes } from '../../../types/index.js'
import type { MakeListed, ParseListed } from '../listed-contract.js'

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

async function setUp (t: Test, layout: Layout, parse?: ParseListed) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const make = () => makeRegistry(t, connect(t, server.port), { listed: layout.listed, ...parse && { parse } })
  const list = async (id: string, text = recordOf(id)) => await layout.list(redis, id, text)
  return {
    redis,
    make,
    gateway: make(),
    list,
    relist: list,
    unlist: async (id: string) => await layout.unlist(redis, id)
  }
}

for (const layout of LAYOUTS) {
  t.test(`nodes that something else lists ${layout.name}`, { skip: withoutRedis }, async (t) => {
    const make: MakeListed = async (t, parse) => await setUp(t, layout, parse)
    listedContract(t, make, { name: 'redisRegistry', goneAfterMs: GONE_AFTER_MS })

    t.test('may have an address for those outside', async (t) => {
      const { gateway, list } = await setUp(t, layout)
      await list('n1', recordOf('n1', { wssUrlOut: 'wss://out.example/n1' }))
      t.equal((await gateway.assign(newRoom())).node.wssUrlOut, 'wss://out.example/n1')
    })

    t.test('are found beside many keys that are not theirs', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await redis.rpush(`${KEYS}queue`, 'not a record')
      await redis.mset(Object.fromEntries(Array.from({ length: 1500 }, (_value, at) => [`other:${at}`, 'x'])))
      const ids = Array.from({ length: 20 }, (_value, at) => `n${at + 10}`)
      await Promise.all(ids.map(async (id) => await list(id)))
      await gateway.assign(newRoom())
      t.strictSame([...new Set(gateway.nodes().map(({ id }) => id))].sort(), ids)
    })

    t.test('nothing is kept of a room that nobody asked for', async (t) => {
      const { redis, gateway, list } = await setUp(t, layout)
      await list('n1')
      await gateway.assign(newRoom())
      t.equal((await redis.keys('*:room:*')).length, 1)
      await eventually(async () => await redis.keys('*:room:*'), [])
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
  await eventually(() => gateway.status().state, 'up')
  t.equal(await nodeOf(gateway), 'n1')
})
