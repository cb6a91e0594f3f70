import * as jose from 'jose'
import { createLayout } from '../../lib/registry/zookeeper/layout.js'
import { startToxicProxy } from '../../lib/testing/toxic-proxy.js'
import { body, buildApp, session, signing } from './build-app.js'
import { until } from './until.js'
import { connectClient } from './zookeeper-client.js'
import { isLate, makeHastyRegistry, newRoot } from './zookeeper-registry.js'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type {
  CobrowseOptions, Membership, NodeRecord, Registry, RoomKey, ZooKeeperRegistryOptions
} from '../../types/index.js'

/** Session timeout that keeps several nodes and gateways in one process alive on a busy machine. */
export const SESSION_MS = 3000
/** Milliseconds that a busy machine may add. */
export const NOISE_MS = 3000

/** Signing options whose signatures expire no later than lingering bindings. */
const SIGNING = { ...signing, ttl: 2, skew: 1 }
const LINGER = SIGNING.ttl + SIGNING.skew

export interface Answer {
  /** Kind of an answer: `ok` with a normal signature, `join-only`, or the retCode. */
  kind: string
  wssUrl?: string
  ms: number
}

export interface Gateway {
  app: FastifyInstance
  registry: Registry
  ask (roomId: string): Promise<Answer>
}

export type RegistrySettings = Omit<ZooKeeperRegistryOptions, 'hosts'>

export const newSettings = () => ({ root: newRoot(), sessionTimeout: SESSION_MS })

export const roomKey = (room: string): RoomKey => ({ tenant: session.tenantId, room })

/** Builds an application with the plugin on ZooKeeper. */
export async function startGateway (
  t: Test, hosts: string, settings: RegistrySettings, options: Partial<CobrowseOptions> = {}
): Promise<Gateway> {
  const registry = makeHastyRegistry(t, hosts, { linger: LINGER, ...settings })
  const { app, ask } = await buildApp(t, { options: { registry, signing: SIGNING, ...options } })
  return {
    app,
    registry,
    async ask (roomId) {
      const startedAt = performance.now()
      const response = await ask({ payload: { ...body, roomId } })
      const ms = performance.now() - startedAt
      const { retCode, data } = response.json()
      if (retCode !== '0') return { kind: retCode, ms }
      const { typ } = jose.decodeProtectedHeader(data.signature)
      return { kind: typ === 'cobrowse+jwt' ? 'ok' : 'join-only', wssUrl: data.wssUrl, ms }
    }
  }
}

export interface NodeOnZooKeeper {
  readonly member: Membership
  readonly wssUrl: string
  /** Events of its membership, by name. */
  readonly events: string[]
  /** Proxy between this node and the server. */
  readonly proxy: Awaited<ReturnType<typeof startToxicProxy>>
  readonly registry: Registry
}

/** Starts a node with its own session and connection. */
export async function startNode (
  t: Test, port: number, id: string, settings: RegistrySettings, record: Partial<NodeRecord> = {}
): Promise<NodeOnZooKeeper> {
  const proxy = await startToxicProxy({ port })
  t.teardown(async () => await proxy.close())
  const registry = makeHastyRegistry(t, `127.0.0.1:${proxy.port}`, { linger: LINGER, ...settings })
  const wssUrl = `wss://${id}.example/ws`
  const member = await joinPatiently(registry, { id, wssUrl, ...record })
  return { member, wssUrl, events: listen(member), proxy, registry }
}

/** Tries again if a busy machine exceeds the request timeout. */
async function joinPatiently (registry: Registry, record: NodeRecord): Promise<Membership> {
  for (let left = 10; ; left--) {
    try {
      return await registry.join(record)
    } catch (error) {
      if (!isLate(error) || left === 0) throw error
    }
  }
}

export function listen (member: Membership): string[] {
  const events: string[] = []
  for (const event of ['lapsed', 'resumed', 'replaced', 'lost', 'ended'] as const) {
    member.on(event, () => events.push(event))
  }
  return events
}

/** Starts a gateway behind its own connection. */
export async function startProxied (t: Test, port: number, settings: RegistrySettings) {
  const proxy = await startToxicProxy({ port })
  t.teardown(async () => await proxy.close())
  return { proxy, gateway: await startGateway(t, `127.0.0.1:${proxy.port}`, settings) }
}

/** Ids of the nodes in the gateway's view. */
export async function startNodes<Id extends string> (
  t: Test, port: number, settings: RegistrySettings, { registry }: Gateway, ids: Id[]
) {
  const nodes = await Promise.all(ids.map(async (id) => [id, await startNode(t, port, id, settings)] as const))
  await until(() => registry.nodes().length === ids.length)
  // The ids are the given ones.
  return Object.fromEntries(nodes) as Record<Id, NodeOnZooKeeper>
}

/** Reads ZooKeeper's data with a session of its own. */
export async function observe (t: Test, hosts: string, root: string) {
  const { client } = await connectClient(t, hosts, { sessionTimeout: 20_000 })
  const layout = createLayout(root)
  return {
    client,
    layout,
    /** Reads a node's record, written by any program. */
    async write (id: string, record: string) {
      const path = layout.nodePath(`${id}|x`)
      const data = Buffer.from(record)
      if (await client.create(path, data, { ms: 5000 }) === 'ok') return
      await client.multi([{ type: 'set', path, data }], { ms: 5000 })
    },
    sessionOf: async ({ id, incarnation }: Membership) =>
      (await client.exists(layout.nodePath(`${id}|${incarnation}`), { ms: 5000 }))?.ephemeralOwner
  }
}

/** Waits for a normal answer. */
export async function untilOk ({ ask }: Gateway, roomId: string): Promise<Answer> {
  return await until(async () => {
    const answer = await ask(roomId)
    return answer.kind === 'ok' && answer
  }, `a normal answer for ${roomId}`)
}

/** Claims the room, and tries again if a busy machine exceeds the request timeout. */
export async function claim (member: Membership, roomId: string): Promise<void> {
  await until(async () => await member.claim(roomKey(roomId)).catch(() => '') === 'ok', `a claim of ${roomId}`)
}

/** Measures the milliseconds of a function. */
export async function timed (work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work
  return Math.round(performance.now() - startedAt)
}
