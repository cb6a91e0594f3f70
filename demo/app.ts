import Fastify from 'fastify'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Registry as MetricsRegistry } from 'prom-client'
import { cobrowse, ownUserIdOnly } from '../lib/index.js'
import { createBackends } from './backends.js'
import { pageRoutes } from './pages.js'
import { probeRoutes } from './probes.js'
import { createRelays } from './relays.js'
import { addSessionRoute } from './session-route.js'
import { topologyRoutes } from './topology.js'
import type { FastifyInstance } from 'fastify'
import type { Backends } from './backends.js'
import type { Env } from './env.js'
import type { Relays } from './relays.js'

export interface Demo {
  app: FastifyInstance
  issueToken: Backends['issueToken']
  /** Says no at /readyz from now on. */
  leave (): void
}

/** The standalone server: the gateway, and relay nodes in the same process. */
export async function createDemo (env: Env): Promise<Demo> {
  const app = Fastify({
    logger: { level: env.LOG_LEVEL },
    // The plugin says 50307 where Fastify would say something else.
    return503OnClosing: false,
    requestTimeout: 5000,
    http: { headersTimeout: 5000 }
  })
  const publicUrl = env.PUBLIC_URL ?? `ws://${urlHost(env.HOST)}:${env.PORT}`
  const signing = readSigning(env)
  // The adapters report a change of state; the client's own errors repeat it at every attempt to connect.
  const backends = createBackends(env, publicUrl, (error) => app.log.debug({ reason: error.message }, 'redis'))
  const metrics = new MetricsRegistry()
  let leaving = false

  await app.register(swagger, { openapi: { info: { title: 'fastify-cobrowse', version: '1' } } })
  await app.register(swaggerUi, { routePrefix: '/docs' })
  await app.register(cobrowse, {
    sessions: backends.sessions,
    registry: backends.registry,
    provision: backends.provision,
    signing,
    metrics,
    authorize: ownUserIdOnly,
    allowedOrigins: env.allowedOrigins
  })
  const relays = createRelays({ openRegistry: backends.openNodeRegistry, signing, log: app.log })
  if (env.isLoopback) {
    addSessionRoute(app, backends.issueToken)
    await app.register(pageRoutes)
    await app.register(topologyRoutes, { relays, registryName: backends.registryName })
  }
  await app.register(probeRoutes, { metrics, isLeaving: () => leaving })
  addRelays(relays, env, publicUrl)
  app.addHook('onReady', async () => relays.listen(app.server))
  app.addHook('preClose', async () => await relays.close())
  app.addHook('onClose', async () => await backends.close())

  return {
    app,
    issueToken: backends.issueToken,
    leave () {
      leaving = true
    }
  }
}

function addRelays (relays: Relays, env: Env, publicUrl: string): void {
  for (let number = 1; number <= env.NODES; number++) {
    const wssUrl = `${publicUrl}/ws/cobrowse/${number}`
    // Of several processes that share a registry each is an entry of its own, unless a service knows a common one.
    const wssUrlOut = env.PROVISION_URL === undefined ? wssUrl : undefined
    relays.add({ id: `${env.NODE_PREFIX}-${number}`, wssUrl, wssUrlOut })
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
