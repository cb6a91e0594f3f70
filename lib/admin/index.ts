import fp from 'fastify-plugin'
import { createRoomHash } from '../common/room-hash.js'
import { createInFlight } from '../gateway/in-flight.js'
import { NO_METRICS } from '../gateway/metrics.js'
import { PLUGIN_NAME } from '../options.js'
import { createApi } from './api.js'
import { ADMIN_NAME, readAdminOptions } from './options.js'
import { createPageRoutes } from './page.js'
import { createAdminRoute } from './route.js'
import type { FastifyBaseLogger, FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { AdapterContext } from '../../types/adapter.js'
import type { AdminOptions } from '../../types/admin.js'
import type { Registry } from '../../types/index.js'

/** Many more than operators send; requests to a registry that hangs must not pile up. */
const MAX_IN_FLIGHT = 64

const plugin: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  const visible = app.hasDecorator('cobrowseRegistry') ? app.cobrowseRegistry : undefined
  const settings = readAdminOptions(options, visible)
  const roomHash = app.hasDecorator('cobrowse') ? app.cobrowse.roomHash : createRoomHash(() => '')
  // Otherwise the main plugin starts the registry, and closes it.
  if (settings.registry !== visible) useRegistry(app, settings.registry)

  const gateway = { inFlight: createInFlight(MAX_IN_FLIGHT), metrics: NO_METRICS }
  for (const route of [...createApi(settings, roomHash), ...createPageRoutes()]) {
    await app.register(createAdminRoute({ settings, gateway, roomHash }, route))
  }
}

function useRegistry (app: FastifyInstance, registry: Registry): void {
  const context = contextOf(app.log.child({ plugin: PLUGIN_NAME }))
  let isStarted = false
  app.addHook('onReady', async () => {
    registry.start(context)
    isStarted = true
  })
  app.addHook('onClose', async () => {
    if (isStarted) await registry.close(context)
  })
}

function contextOf (log: FastifyBaseLogger): AdapterContext {
  return {
    log,
    onState ({ state, reason }) {
      const level = state === 'down' || state === 'degraded' ? 'warn' : 'info'
      log[level]({ dependency: 'registry', state, reason }, `registry ${state}`)
    }
  }
}

/** The plugin: an API and a page for operators. Encapsulated, so that it takes Fastify's option `prefix`. */
export const admin: FastifyPluginAsync<AdminOptions> = fp(plugin, { name: ADMIN_NAME, fastify: '5.x', encapsulate: true })
export default admin

export type * from '../../types/admin.js'
