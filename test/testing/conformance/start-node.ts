import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import { WebSocketServer } from 'ws'
import { systemClock } from '../../../lib/common/clock.js'
import { AdmissionError, readOffer } from '../../../lib/node/index.js'
import { createNode } from '../../../lib/node/node.js'
import { NODE_DEFAULTS } from '../../../lib/node/options.js'
import { redisRegistry } from '../../../lib/registry/redis.js'
import { createZooKeeperRegistry } from '../../../lib/registry/zookeeper.js'
import { createZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import { verifySignature } from '../../../lib/signing/verify.js'
import { startToxicProxy } from '../../../lib/testing/index.js'
import { findFreePort } from '../../support/redis-server.js'
import type { Server } from 'node:http'
import type { Test } from 'tap'
import type { WebSocket } from 'ws'
import type { Verify } from '../../../lib/node/admission.js'
import type { NodeCoreSettings } from '../../../lib/node/node.js'
import type { CobrowseNode, Seat } from '../../../lib/node/index.js'
import type { ZooKeeperClient, ZooKeeperClientOptions } from '../../../lib/zookeeper-client/client.js'
import type { ProxyMode, ToxicProxy } from '../../../lib/testing/index.js'
import type { Membership, NodeRecord, RedisScripter, Registry } from '../../../types/registry.js'

export const SIGNING = { keys: [{ id: 'k', secret: 's'.repeat(32) }], ttl: 4, skew: 2 }
export const TIMES = { lease: 1200, heartbeat: 250, linger: 6 }
/** A session that a busy machine keeps. */
export const ZOOKEEPER_TIMES = { lease: 2400, linger: 6 }
export const PATIENCE = 500
const START_TRIES = 5
/** Close code of a connection that was reset. */
const WITHOUT_CLOSE = 1006

/** Replacement for one small part of a good node. */
export interface Defect {
  settings?: Partial<NodeCoreSettings>
  verify? (good: Verify, membership: () => Membership | undefined): Verify
  membership? (good: Membership, store: { registry: Registry, redis: Redis, prefix: string }): Partial<Membership>
  redis? (good: Redis, prefix: string): Partial<RedisScripter>
  /** Rooms in which messages are passed on. */
  nameOf? (seat: Seat): string
  handleProtocols? (offered: Set<string>): string | false
  endsAtReset?: boolean
  /** Called after a client has left. */
  left? (seat: Seat, membership: Membership | undefined): void
  /** Keeps the seat of a client that reset its connection. */
  keepsReset?: boolean
  /** Stays stopped when it is started again. */
  isLost?: boolean
  times?: Partial<typeof TIMES>
  serve? (node: CobrowseNode): Server
}

export interface BrokenNode extends Defect {
  /** Exactly the rules that the defect breaks, and what is reported of each. */
  breaks: Record<string, RegExp>
}

/** Replacement for one small part of a good node on ZooKeeper. */
export interface ZooKeeperDefect extends Omit<Defect, 'membership' | 'redis' | 'times'> {
  client? (good: ZooKeeperClient): Partial<ZooKeeperClient>
  onZooKeeper? (good: Membership): Partial<Membership>
}

export interface BrokenZooKeeperNode extends ZooKeeperDefect {
  /** Exactly the rules that the defect breaks, and what is reported of each. */
  breaks: Record<string, RegExp>
}

/** Lua inserted into all scripts, before the rooms. */
export const COMMON_KEYS = 8
/** Position of an argument of a node's script, counted from the last key. */
export const ARGUMENT = {
  lease: 2,
  member: 5,
  record: 6,
  lifeOfClaim: 6,
  life: 7,
  kindOfClaim: 7,
  kind: 8,
  claim: 8,
  claimToBeat: 9,
  claimToRegister: 10
}

/** Membership that swallows an event. */
export const deafTo = (event: string): Required<Defect>['membership'] => (good) => ({
  on: (heard, listener) => heard === event ? () => {} : good.on(heard, listener)
})

export interface TestNodeOptions {
  redisPort: number
  prefix: string
  defect?: Defect
  /** How the node is cut off from its store. */
  cutBy?: ProxyMode
}

/** Starts a kit node on a real Redis behind a proxy, which can be stopped and started. */
export async function startTestNode (t: Test, { redisPort, prefix, defect = {}, cutBy = 'hang' }: TestNodeOptions) {
  const proxy = await startToxicProxy({ port: redisPort })
  const redis = new Redis(proxy.port, '127.0.0.1').on('error', () => {})
  const scripter = varied(toScripter(redis), defect.redis?.(redis, prefix))
  const registry = redisRegistry({ redis: scripter, prefix, ...TIMES, ...defect.times })
  return await startKitNode(t, {
    proxy,
    defect,
    cutBy,
    join: async (record) => {
      const joined = await registry.join(record)
      return varied(joined, defect.membership?.(joined, { registry, redis, prefix }))
    },
    disconnect: async () => redis.disconnect()
  })
}

/** Starts a kit node on a real ZooKeeper behind a proxy, which can be stopped and started. */
export async function startZooKeeperNode (
  t: Test, { port, defect = {}, cutBy = 'hang' }: { port: number, defect?: ZooKeeperDefect, cutBy?: ProxyMode }
) {
  const proxy = await startToxicProxy({ port })
  const { lease, linger } = ZOOKEEPER_TIMES
  const options = { hosts: `127.0.0.1:${proxy.port}`, sessionTimeout: lease, linger }
  const makeClient = (options: ZooKeeperClientOptions): ZooKeeperClient => {
    const good = createZooKeeperClient(options)
    return varied<ZooKeeperClient>(good, defect.client?.(good))
  }
  const registry = createZooKeeperRegistry(options, systemClock, makeClient)
  return await startKitNode(t, {
    proxy,
    defect,
    cutBy,
    join: async (record) => {
      const joined = await registry.join(record)
      return varied(joined, defect.onZooKeeper?.(joined))
    },
    disconnect: registry.close
  })
}

interface KitNodeOptions {
  proxy: ToxicProxy
  defect: Defect
  cutBy: ProxyMode
  join (record: NodeRecord): Promise<Membership>
  disconnect (): Promise<void>
}

async function startKitNode (t: Test, { proxy, defect, cutBy, join, disconnect }: KitNodeOptions) {
  let membership: Membership | undefined
  const { serve = (node) => serveWs(node, defect, () => membership) } = defect
  const port = await findFreePort()
  const record = { id: 'node', wssUrl: `ws://127.0.0.1:${port}/ws/cobrowse/1` }
  const settings = { ...NODE_DEFAULTS, record, signing: SIGNING, allowedOrigins: undefined, patience: PATIENCE }
  let stop = async () => {}

  async function start (): Promise<void> {
    const verify: Verify = async (signature, at) =>
      await verifySignature(signature, { ...SIGNING, ...at, acceptJoinOnly: true })
    const node = await createNode({ ...settings, ...defect.settings }, {
      clock: systemClock,
      verify: defect.verify?.(verify, () => membership) ?? verify,
      async join (record) {
        membership = await join(record)
        return membership
      }
    })
    const server = serve(node).listen(port, '127.0.0.1')
    stop = async () => {
      await node.close()
      server.close()
      server.closeAllConnections()
    }
  }

  await insist(start)
  t.teardown(async () => {
    proxy.set('pass')
    await stop()
    await disconnect()
    await proxy.close()
  })
  return {
    id: record.id,
    cut: () => proxy.set(cutBy),
    heal: () => proxy.set('pass'),
    drop: () => proxy.set('refuse'),
    // A broken node may fail to start.
    start: async () => defect.isLost === true ? undefined : await start().catch(() => {}),
    stop: async () => await stop()
  }
}

/** Tries again on a busy machine, where an answer may take longer than a registration allows. */
async function insist (start: () => Promise<void>): Promise<void> {
  for (let left = START_TRIES; ; left--) {
    try {
      return await start()
    } catch (error) {
      if (left === 1) throw error
    }
  }
}

function varied<T extends object> (good: T, change: Partial<T> = {}): T {
  return Object.assign(Object.create(good), change)
}

function toScripter (redis: Redis): RedisScripter {
  return {
    get status () {
      return redis.status
    },
    // Through `evalsha`, which a defect may replace.
    async eval (text, ...args) {
      await redis.script('LOAD', text)
      return await this.evalsha(createHash('sha1').update(text).digest('hex'), ...args)
    },
    evalsha: async (...args) => await redis.evalsha(...args)
  }
}

function serveWs (node: CobrowseNode, defect: Defect, membership: () => Membership | undefined): Server {
  const { nameOf = ({ tenant, room }) => JSON.stringify([tenant, room]), handleProtocols = () => 'cobrowse.v1' } = defect
  const rooms = new Map<string, Set<WebSocket>>()
  const sockets = new WebSocketServer({ noServer: true, handleProtocols })
  const server = createServer()

  function attend (socket: WebSocket, seat: Seat): void {
    const name = nameOf(seat)
    const room = rooms.get(name) ?? new Set()
    rooms.set(name, room.add(socket))
    seat.ended.then(({ code, reason }) => {
      room.delete(socket)
      socket.close(code, reason)
    })
    socket.on('message', (data, binary) => {
      for (const other of room) if (other !== socket) other.send(data, { binary })
    })
    socket.on('close', (code) => {
      room.delete(socket)
      if (defect.keepsReset !== true || code !== WITHOUT_CLOSE) seat.leave()
      defect.left?.(seat, membership())
    })
    if (socket.readyState !== socket.OPEN) seat.leave()
  }

  return server.on('upgrade', (request, tcp, head) => {
    let isChecked = false
    tcp.on('error', () => {
      if (defect.endsAtReset !== true || isChecked) return
      node.close()
      server.close()
    })
    sockets.handleUpgrade(request, tcp, head, async (socket) => {
      socket.on('error', () => socket.terminate())
      socket.pause()
      try {
        attend(socket, await node.admit(readOffer(request.headers).signature))
      } catch (error) {
        socket.close(error instanceof AdmissionError ? error.closeCode : 1011)
      } finally {
        isChecked = true
        socket.resume()
      }
    })
  })
}
