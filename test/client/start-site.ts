import Fastify from 'fastify'
import WebSocket from 'ws'
import { connect } from '../../lib/client/index.js'
import { cobrowse, memoryRegistry, memorySessions, ownUserIdOnly, staticProvision } from '../../lib/index.js'
import { handleUpgrades, startRelay } from '../../lib/relay/index.js'
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Connection, ConnectOptions } from '../../lib/client/index.js'
import type { Relay } from '../../lib/relay/index.js'
import type { CobrowseOptions, MemorySessions } from '../../types/index.js'

const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }

export interface Site {
  base: string
  app: FastifyInstance
  sessions: MemorySessions
  /** Returns the node with this number, counted from 1. */
  relays: Map<number, Relay>
  tokenOf (userId: string): string
  /** Connects a client that is closed at the end of the test. */
  connect (options?: Partial<ConnectOptions>): Client
}

export interface Client {
  connection: Connection
  /** All events in order: `open`, `retry 4410`, `closed`, … */
  history: string[]
  waits: number[]
  messages: string[]
}

export interface SiteOptions {
  nodes?: number
  options?: Partial<CobrowseOptions>
  /** Hook that runs before the plugin is registered. */
  before? (app: FastifyInstance): void | Promise<void>
}

/** Starts a gateway and its relay nodes on one port of this process. */
export async function startSite (t: Test, { nodes = 2, options, before }: SiteOptions = {}): Promise<Site> {
  const app = Fastify()
  const sessions = memorySessions()
  const registry = memoryRegistry()
  const relays = new Map<number, Relay>()
  // The plugin's own tests check closing, so answers here have the plugin's form only.
  t.teardown(async () => {
    await Promise.all([...relays.values()].map(async (relay) => await relay.close()))
    app.server.closeAllConnections()
    await app.close()
  })
  await before?.(app)
  await app.register(cobrowse, {
    sessions, registry, signing, authorize: ownUserIdOnly, provision: staticProvision('ws://127.0.0.1:2'), ...options
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  for (let number = 1; number <= nodes; number++) {
    const wssUrl = `ws://127.0.0.1:${port}/ws/cobrowse/${number}`
    handleUpgrades(app.server, new URL(wssUrl).pathname, () => relays.get(number))
    relays.set(number, await startRelay({ id: `node-${number}`, wssUrl, registry, signing, takeover: true }))
  }
  const base = `http://127.0.0.1:${port}`
  const tokenOf = (userId: string) => sessions.issue({ tenantId: 't', channelId: 'web', userId })
  return {
    base,
    app,
    sessions,
    relays,
    tokenOf,
    connect: (change = {}) => startClient(t, {
      baseUrl: base,
      token: change.userId === undefined ? tokenOf('u') : tokenOf(change.userId),
      roomId: 'r',
      userId: 'u',
      userName: 'U',
      role: 'recorder',
      address: 'wssUrl',
      minWait: 20,
      maxWait: 100,
      ...change
    })
  }
}

export function startClient (t: Test, options: ConnectOptions): Client {
  const messages: string[] = []
  const history: string[] = []
  const waits: number[] = []
  const connection = connect({
    WebSocket,
    onMessage (message) {
      const text = Buffer.from(message as string).toString()
      if (text !== '{"type":"alive"}') messages.push(text)
    },
    ...options
  })
  t.teardown(() => connection.close())
  connection.on('open', () => history.push('open'))
  connection.on('retry', ({ error, wait }) => {
    history.push(`retry ${error.code}`)
    waits.push(wait)
  })
  connection.on('close', (error) => history.push(error === undefined ? 'closed' : `closed ${error.code}`))
  return { connection, history, waits, messages }
}
