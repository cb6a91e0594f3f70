import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { Registry as MetricsRegistry } from 'prom-client'
import { cobrowse } from '../lib/index.js'
import { UPGRADE_OPTIONS } from '../lib/relay/index.js'
import { createAuthorization } from './authorization.js'
import { createBackends } from './backends.js'
import { trackConnections } from './connections.js'
import { createLogStream } from './log-stream.js'
import { adminRoutes } from './routes/admin.js'
import { pageRoutes } from './routes/pages.js'
import { probeRoutes } from './routes/probes.js'
import { addReference } from './routes/reference.js'
import { createRelays } from './relay/relays.js'
import { addSessionRoute } from './routes/session.js'
import { topologyRoutes } from './routes/topology.js'
import type { Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Backends } from './backends.js'
import type { Env } from './env.js'
import type { Relays } from './relay/relays.js'

export interface Demo {
  app: FastifyInstance
  issueToken: Backends['issueToken']
  /** Tells the operator how requests are authorized. */
  authorization: string
  /** Resolves once every relay node of this process has registered. */
  registered (): Promise<void>
  /** Makes /readyz answer "no" from now on, and resolves once the relay nodes have disconnected their clients. */
  leave (): Promise<void>
  /** Answers requests that are complete, and ends all connections. */
  close (): Promise<void>
}

/** Longer than the plugin takes for any answer, and than a client takes to close its WebSocket. */
const CUT_AFTER_MS = 3000
const CUT_MS = 1000

/** The standalone server: the gateway, and relay nodes in the same process. */
export async function createDemo (env: Env): Promise<Demo> {
  const app = Fastify({
    logger: { level: env.LOG_LEVEL, stream: createLogStream() },
    // The plugin answers 50307; Fastify's own answer would differ.
    return503OnClosing: false,
    requestTimeout: 5000,
    trustProxy: env.TRUST_PROXY ?? false,
    // Checked once a second: with the default of half a minute, callers that drip headers would hold sockets.
    http: { headersTimeout: 5000, connectionsCheckingInterval: 1000, ...UPGRADE_OPTIONS }
  })
  const connections = trackConnections(app.server)
  const publicUrl = env.PUBLIC_URL ?? `ws://${urlHost(env.HOST)}:${env.PORT}`
  const signing = readSigning(env)
  // The adapters report a change of state; the client's own errors repeat it at every attempt to connect.
  const backends = createBackends(env, publicUrl, (error) => app.log.debug({ reason: error.message }, 'redis'))
  const { summary, close: closeAuthorization, ...authorization } = createAuthorization(env)
  const metrics = new MetricsRegistry()
  let leaving = false

  await addReference(app)
  await app.register(cobrowse, {
    sessions: backends.sessions,
    registry: backends.registry,
    provision: backends.provision,
    signing,
    metrics,
    ...authorization,
    allowedOrigins: env.allowedOrigins,
    allowedHosts: env.allowedHosts
  })
  const relays = createRelays({ openRegistry: backends.openNodeRegistry, signing, metrics, log: app.log })
  if (env.isLoopback) {
    addSessionRoute(app, backends.issueToken)
    await app.register(pageRoutes)
    await app.register(adminRoutes)
    await app.register(topologyRoutes, { relays, registryName: backends.registryName })
  }
  await app.register(probeRoutes, { metrics, isLeaving: () => leaving })
  // A node that registers before its server listens would attract browsers that cannot connect, and would replace the
  // node of another process that has the port.
  app.addHook('onListen', async () => addRelays(app.server, relays, env, publicUrl))
  app.addHook('preClose', async () => await relays.close())
  app.addHook('onClose', async () => await Promise.all([backends.close(), closeAuthorization()]))

  return {
    app,
    issueToken: backends.issueToken,
    authorization: summary,
    registered: relays.registered,
    async leave () {
      leaving = true
      await relays.drain({ deadline: env.DRAIN_DEADLINE, returnWithin: env.RETURN_WITHIN })
    },
    async close () {
      const closed = app.close()
      await Promise.race([closed, sleep(CUT_AFTER_MS)])
      connections.cut()
      // Connections of a second address of HOST=localhost are not known here: the end of the process cuts them.
      await Promise.race([closed, sleep(CUT_MS)])
    }
  }
}

function addRelays (server: Server, relays: Relays, env: Env, publicUrl: string): void {
  for (let number = 1; number <= env.NODES; number++) {
    const wssUrl = `${publicUrl}/ws/cobrowse/${number}`
    // Each of several processes that share a registry is an entry of its own, unless a service knows a common one.
    const wssUrlOut = env.PROVISION_URL === undefined ? wssUrl : undefined
    relays.add(server, { id: `${env.NODE_PREFIX}-${number}`, wssUrl, wssUrlOut })
  }
}

function readSigning (env: Env) {
  const keys = [{ id: env.COBROWSE_KEY_ID, secret: env.COBROWSE_KEY }]
  if (env.COBROWSE_KEY_PREVIOUS !== undefined) {
    keys.push({ id: env.COBROWSE_KEY_PREVIOUS_ID, secret: env.COBROWSE_KEY_PREVIOUS })
  }
  return { keys, ttl: 15, skew: 5 }
}

function urlHost (host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
