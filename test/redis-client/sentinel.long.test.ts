import * as nodeRedis from 'redis'
import * as nodeRedis5 from '@redis/client5'
import { Redis } from 'ioredis'
import t from 'tap'
import { fromNodeRedis } from '../../lib/redis-client/node-redis.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { withoutRedis } from '../support/redis-server.js'
import { startSentinels } from '../support/redis-sentinel.js'
import { eventually, until } from '../support/until.js'
import type { Test } from 'tap'
import type { RedisScripter } from '../../types/index.js'
import type { Sentinels } from '../support/redis-sentinel.js'

const TIMES = { heartbeat: 200, lease: 2000, linger: 2 }

const CLIENTS: Record<string, (t: Test, watched: Sentinels) => Promise<RedisScripter>> = {
  async 'ioredis 6' (t, { sentinels, name }) {
    const client = new Redis({ sentinels, name }).on('error', () => {})
    t.teardown(() => client.disconnect())
    return client
  },
  async 'node-redis 6' (t, { sentinels, name }) {
    const client = nodeRedis.createSentinel({ name, sentinelRootNodes: sentinels }).on('error', () => {})
    t.teardown(() => { client.destroy() })
    return fromNodeRedis(await client.connect())
  },
  async 'node-redis 5' (t, { sentinels, name }) {
    const client = nodeRedis5.createSentinel({ name, sentinelRootNodes: sentinels }).on('error', () => {})
    t.teardown(() => { client.destroy() })
    return fromNodeRedis(await client.connect())
  }
}

t.test('a fail-over by Sentinel – the primary dies – a room keeps its node, and rooms are assigned again', {
  skip: withoutRedis
}, async (t) => {
  t.jobs = 2
  for (const [name, connectClient] of Object.entries(CLIENTS)) {
    t.test(`with ${name}`, async (t) => {
      const watched = await startSentinels(t)
      await skipSettling(connect(t, watched.primary.port))
      const gateway = makeRegistry(t, await connectClient(t, watched), TIMES)
      const nodes = makeRegistry(t, await connectClient(t, watched), TIMES)
      const join = async (id: string) => ({ id, member: await nodes.join(nodeRecord(id)) })
      const members = await Promise.all(['n1', 'n2'].map(join))
      const room = newRoom()
      const before = await until(async () => await gateway.assign(room).catch(() => undefined), 'an assigned room')
      t.equal(await members.find(({ id }) => id === before.node.id)?.member.claim(room), 'ok')
      await watched.failOver()
      await eventually(async () => (await gateway.assign(room)).node.id, before.node.id, 'the node of the room', 40_000)
      await until(async () => await gateway.assign(newRoom()).catch(() => undefined), 'a new room', 40_000)
    })
  }
})
