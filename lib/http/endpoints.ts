import { canEndCalls } from '../gateway/end-call.js'
import { mayReplay } from './authorize.js'
import { createRoute } from './route.js'
import { checkRouteOptions } from './route-options.js'
import { connectionInfoSchema, releaseSchema } from './openapi.js'
import { checkConnectionInfoBody, checkReleaseBody } from './schema.js'
import type { FastifyPluginAsync } from 'fastify'
import type { Gateway } from '../gateway/gateway.js'
import type { Settings } from '../options.js'
import type { ConnectionInfoBody, ReleaseBody } from '../../types/index.js'

/**
 * The routes, each in a scope of its own.
 *
 * @throws TypeError that names the route option that cannot be set
 */
export function createRoutes (settings: Settings, gateway: Gateway): FastifyPluginAsync[] {
  const { path, releasePath, registry, authorize, authorizeRelease = mayReplay(authorize) } = settings
  checkRouteOptions(settings.routeOptions)
  const connectionInfo = createRoute<ConnectionInfoBody>(settings, gateway, {
    path,
    schema: connectionInfoSchema,
    roomField: 'roomId',
    checkBody: checkConnectionInfoBody,
    authorize,
    answer: async (session, body, context) => ({ data: await gateway.connectionInfo(session, body, context) })
  })
  if (!canEndCalls(registry)) return [connectionInfo]
  const release = createRoute<ReleaseBody>(settings, gateway, {
    path: releasePath,
    schema: releaseSchema,
    roomField: 'callId',
    checkBody: checkReleaseBody,
    authorize: authorizeRelease,
    async answer (session, body, context) {
      await gateway.endCall(session, body, context)
      return {}
    }
  })
  return [connectionInfo, release]
}
