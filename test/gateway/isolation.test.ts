import { createHash } from 'node:crypto'
import t from 'tap'
import { memoryRegistry } from '../../lib/index.js'
import { bucketOf, ensurePath } from '../../lib/registry/zookeeper/layout.js'
import { roomName } from '../../lib/common/room-name.js'
import { isolationContract } from './isolation-contract.js'
import { NODES } from '../support/build-app.js'
import { connect, makeRegistry as makeRedisRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { observe } from '../support/zookeeper-app.js'
import { makeRegistry as makeZooKeeperRegistry, newRoot } from '../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { nodeRecord } from '../../lib/testing/contracts/rooms.js'
import type { RoomKey } from '../../types/index.js'

t.test('isolation in memory', async (t) => {
  isolationContract(t, { open: async () => memoryRegistry({ nodes: NODES, linger: 60 }) })
})

t.test('isolation on Redis', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const nodes = makeRedisRegistry(t, redis, { linger: 60 })
  await nodes.join(nodeRecord('good'))
  const keyOf = (room: RoomKey) => `{cobrowse}:room:${createHash('sha256').update(roomName(room)).digest('base64url')}`
  isolationContract(t, {
    open: async (t) => makeRedisRegistry(t, connect(t, server.port), { linger: 60 }),
    spoilings: [
      async (room) => { await redis.set(keyOf(room), 'garbage') },
      async (room) => { await redis.lpush(keyOf(room), 'x') },
      async (room) => { await redis.hset(keyOf(room), 'x', 'y') }
    ],
    async writeRecord (record) {
      await redis.zadd('{cobrowse}:leases', Date.now() + 600_000, 'spoilt|x')
      await redis.hset('{cobrowse}:nodes', 'spoilt|x', record)
    },
    stop: async () => await server.kill()
  })
})

t.test('isolation on ZooKeeper', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  const settings = { root: newRoot(), sessionTimeout: 6000, linger: 60 }
  const nodes = makeZooKeeperRegistry(t, server.hosts, settings)
  await nodes.join(nodeRecord('good'))
  const { client, layout, write } = await observe(t, server.hosts, settings.root)
  const writeRoom = (text: string | Buffer) => async (room: RoomKey) => {
    const key = layout.roomKey(room)
    await ensurePath(client, layout.bucketPath(bucketOf(key)))
    await client.create(layout.roomPath(key), Buffer.from(text))
  }
  isolationContract(t, {
    open: async (t) => makeZooKeeperRegistry(t, server.hosts, settings),
    spoilings: [writeRoom('garbage'), writeRoom(''), writeRoom('a/../b|x|claimed|0|0|w'), writeRoom(Buffer.alloc(900_000, 'x'))],
    writeRecord: async (record) => await write('spoilt', record),
    stop: async () => await server.kill()
  })
})
