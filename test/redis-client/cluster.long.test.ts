import * as nodeRedis from 'redis'
import * as nodeRedis5 from '@redis/client5'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import t from 'tap'
import { fromNodeRedis } from '../../lib/redis-client/node-redis.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import { makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedisCluster } from '../support/redis-cluster.js'
import { withoutRedis } from '../support/redis-server.js'
import { eventually, until } from '../support/until.js'
import type { Test } from 'tap'
import type { RedisScripter } from '../../types/index.js'
import type { RedisCluster } from '../support/redis-cluster.js'

const TIMES = { heartbeat: 200, lease: 2000, linger: 2 }
const KEY = '{cobrowse}:meta'

/** Its clients of a Cluster do not look for the new primary of a dead one (redis/node-redis#2806, in 5.12.1). */
const STAYS_AT_THE_DEAD = new Set(['node-redis 5'])

const CLIENTS: Record<string, (t: Test, nodes: RedisCluster['nodes']) => Promise<RedisScripter>> = {
  async 'ioredis 6, auto-pipelining' (t, nodes) {
    const client = new Cluster(nodes, { enableAutoPipelining: true }).on('error', () => {})
    t.teardown(() => client.disconnect())
    return client
  },
  async 'ioredis 5, auto-pipelining' (t, nodes) {
    const client = new Cluster5(nodes, { enableAutoPipelining: true }).on('error', () => {})
    t.teardown(() => client.disconnect())
    return client
  },
  async 'node-redis 6' (t, nodes) {
    const client = nodeRedis.createCluster({ rootNodes: nodes.map((socket) => ({ socket })) }).on('error', () => {})
    t.teardown(() => { client.destroy() })
    await client.connect()
    return fromNodeRedis(client)
  },
  async 'node-redis 5' (t, nodes) {
    const client = nodeRedis5.createCluster({ rootNodes: nodes.map((socket) => ({ socket })) }).on('error', () => {})
    t.teardown(() => { client.destroy() })
    await client.connect()
    return fromNodeRedis(client)
  }
}

t.test('a Cluster – the slot moves, then its primary dies – a claimed room keeps its node', {
  skip: withoutRedis
}, async (t) => {
  t.jobs = 2
  for (const [name, connectClient] of Object.entries(CLIENTS)) {
    t.test(`with ${name}`, async (t) => {
      const cluster = await startRedisCluster(t)
      await skipSettling(await cluster.ownerOf(KEY))
      const gateway = makeRegistry(t, await connectClient(t, cluster.nodes), TIMES)
      const nodes = makeRegistry(t, await connectClient(t, cluster.nodes), TIMES)
      const join = async (id: string) => ({ id, member: await nodes.join(nodeRecord(id)) })
      const members = await Promise.all(['n1', 'n2'].map(join))
      const room = newRoom()
      const before = await until(async () => await gateway.assign(room).catch(() => undefined), 'an assigned room')
      t.equal(await members.find(({ id }) => id === before.node.id)?.member.claim(room), 'ok')
      const isKept = async () => {
        await eventually(async () => (await gateway.assign(room)).node.id, before.node.id, 'the node of the room', 40_000)
        await until(async () => await gateway.assign(newRoom()).catch(() => undefined), 'a new room', 40_000)
      }
      await cluster.moveSlot(KEY)
      await isKept()
      if (STAYS_AT_THE_DEAD.has(name)) return
      await cluster.failOver(KEY)
      await isKept()
    })
  }
})
