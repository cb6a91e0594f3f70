import { once } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import WebSocket from 'ws'
import { createRelays } from '../../demo/relay/relays.js'
import { cobrowse, memorySessions, ownUserIdOnly, staticProvision } from '../../lib/index.js'
import { closeCode, open, sendUntilReceived } from '../demo/demo-client.js'
import { PATH } from '../support/build-app.js'
import { elapse } from '../support/elapse.js'
import { connect, FAST as FAST_REDIS, makeRegistry as makeRedisRegistry } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { silentLog } from '../support/silent-log.js'
import { eventually, until } from '../support/until.js'
import { connectClient } from '../support/zookeeper-client.js'
import { FAST as FAST_ZOOKEEPER, makeRegistry as makeZooKeeperRegistry } from '../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { ConnectionInfo, Registry } from '../../types/index.js'

/** Signatures as short as a busy machine allows, since the move waits for the last one. */
const signing = { keys: [{ id: 'test', secret: 'a secret of the tests, long enough' }], ttl: 3, skew: 1 }
const LAST_SIGNATURE_MS = (signing.ttl + signing.skew) * 1000
/** Leases that a busy machine can keep, since a node that lapses closes rooms, which would disturb this test. */
const ON_REDIS = { ...FAST_REDIS, heartbeat: 500, lease: 4000, linger: 4 }
const ON_ZOOKEEPER = { ...FAST_ZOOKEEPER, sessionTimeout: 6000, linger: 4 }
const ROLES = ['recorder', 'replayer'] as const
const SESSION = { tenantId: 't1', channelId: 'web', userId: 'u1' }
const rooms = ['room-1', 'room-2', 'room-3', 'room-4']

interface Place {
  registry (): Registry
  /** Ids of the nodes registered in a registry, as an operator sees them. */
  nodes (): Promise<string[]>
}

/** A gateway and a relay node in one process of a deployment. */
async function startProcess (t: Test, registry: Registry, id: string) {
  const app = Fastify({ return503OnClosing: false })
  const sessions = memorySessions()
  await app.register(cobrowse, {
    registry, sessions, signing, provision: staticProvision('wss://relay.example'), authorize: ownUserIdOnly
  })
  const relays = createRelays({
    openRegistry: () => ({ registry, cut () {}, async close () {} }), signing, log: silentLog
  })
  app.addHook('preClose', async () => await relays.close())
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const path = `/ws/${id}`
  relays.add(app.server, { id, wssUrl: `ws://127.0.0.1:${port}${path}` })
  await until(() => registry.nodes().length >= 2)
  const token = sessions.issue(SESSION)

  async function ask (roomId: string, role: string): Promise<ConnectionInfo | undefined> {
    const response = await fetch(`http://127.0.0.1:${port}${PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'ccmessaging-token': token },
      body: JSON.stringify({ roomId, userId: SESSION.userId, userName: 'u', role })
    })
    return (await response.json() as { data?: ConnectionInfo }).data
  }
  const askUntilAnswered = async (roomId: string, role: string) => await until(async () => await ask(roomId, role))
  return { app, port, path, ask: askUntilAnswered }
}

type Running = Awaited<ReturnType<typeof startProcess>>

/** Opens both sides of a room, each through another gateway. */
async function enter (t: Test, [first, second]: Running[], room: string) {
  if (first === undefined || second === undefined) throw new Error('there are two processes')
  const sides = await Promise.all(ROLES.map(async (role, at) => await (at === 0 ? first : second).ask(room, role)))
  const sockets = await Promise.all(sides.map(async (info) => await open(info, 'cobrowse.v1', info.signature)))
  t.teardown(() => sockets.forEach((socket) => socket.terminate()))
  const [sender, receiver] = sockets
  if (sender === undefined || receiver === undefined) throw new Error('a room has two sides')
  t.equal(new Set(sides.map(({ wssUrl }) => wssUrl)).size, 1, 'one node for both')
  t.equal(await sendUntilReceived(sender, receiver, room), room, 'both sides meet')
  return sockets
}

async function start (t: Test, place: Place): Promise<Running[]> {
  return await Promise.all(['n1', 'n2'].map(async (id) => await startProcess(t, place.registry(), id)))
}

/** Moves a deployment by the procedure of docs/operations.md. */
async function move (t: Test, from: Place, to: Place): Promise<void> {
  const before = await start(t, from)
  const opened = await Promise.all(rooms.map(async (room) => await enter(t, before, room)))
  const closed = opened.flat().map(closeCode)
  const last = await before[0]?.ask('asked-for-last', 'recorder')

  // 1. All gateways stop, and all nodes leave.
  await Promise.all(before.map(async ({ app }) => await app.close()))
  const stoppedAt = performance.now()
  t.strictSame(new Set(await Promise.all(closed)), new Set([4410]), 'every open room is closed, once')
  // 2. No node is registered in the old registry.
  await eventually(async () => (await from.nodes()).length, 0)
  // 3. The last signature has expired.
  await elapse(LAST_SIGNATURE_MS - (performance.now() - stoppedAt), 'the last signature has expired')
  t.strictSame(await to.nodes(), [], 'two registries are never in use at once')
  // 4. The new registry takes over.
  const after = await start(t, to)
  t.strictSame(await from.nodes(), [])
  await Promise.all(rooms.map(async (room) => await enter(t, after, room)))

  const { pathname } = new URL(last?.wssUrl ?? '')
  const sameNode = after.find(({ path }) => path === pathname)
  const socket = new WebSocket(`ws://127.0.0.1:${sameNode?.port}${pathname}`, ['cobrowse.v1', last?.signature ?? ''])
  await once(socket, 'open')
  t.equal(await closeCode(socket), 4401, 'a signature from before opens nothing')
}

t.test('a deployment – moves from one registry to the other', { skip: withoutRedis || withoutZooKeeper }, async (t) => {
  t.jobs = 2
  const makePlaces = async (t: Test): Promise<{ redis: Place, zookeeper: Place }> => {
    const [redisServer, zookeeperServer] = await Promise.all([startRedis(t), startZooKeeper(t)])
    const redis = connect(t, redisServer.port)
    const { client } = await connectClient(t, zookeeperServer.hosts)
    return {
      redis: {
        registry: () => makeRedisRegistry(t, connect(t, redisServer.port), ON_REDIS),
        nodes: async () => await redis.zrangebyscore('{cobrowse}:leases', Date.now(), '+inf')
      },
      zookeeper: {
        registry: () => makeZooKeeperRegistry(t, zookeeperServer.hosts, ON_ZOOKEEPER),
        nodes: async () => await client.children('/cobrowse/nodes', { ms: 5000 }) ?? []
      }
    }
  }
  t.test('a deployment on Redis – moves to ZooKeeper', async (t) => {
    const { redis, zookeeper } = await makePlaces(t)
    await move(t, redis, zookeeper)
  })
  t.test('a deployment on ZooKeeper – moves to an empty Redis, which settles first', async (t) => {
    const { redis, zookeeper } = await makePlaces(t)
    await move(t, zookeeper, redis)
  })
})
