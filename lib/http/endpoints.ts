import { canEndCalls } from '../gateway/end-call.js'
import { mayReplay } from './authorize.js'
import { createApiFabricEndpoint } from './api-fabric.js'
import { readRawToken } from './raw-token.js'
import { createRoute } from './route.js'
import { checkRouteOptions } from './route-options.js'
import { connectionInfoSchema, releaseSchema, SHARED_SCHEMAS } from './openapi.js'
import { checkConnectionInfoBody, checkReleaseBody } from './schema.js'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Gateway } from '../gateway/gateway.js'
import type { RequestContext } from '../gateway/request-context.js'
import type { ErrorAnswer } from './to-error-answer.js'
import type { Settings } from '../options.js'
import type { ConnectionInfoBody, ReleaseBody } from '../../types/index.js'

const API_FABRIC_PATH = '/apiaccess/api/cobrowse/getConnectionInfo'

/**
 * The routes, each in a scope of its own.
 *
 * @throws TypeError that names the route option that cannot be set
 */
export function createRoutes (settings: Settings, gateway: Gateway): FastifyPluginAsync[] {
  const { path, releasePath, registry, authorize, authorizeRelease = mayReplay(authorize), apiFabric } = settings
  checkRouteOptions(settings.routeOptions)
  const ofVendor = {
    sharedSchemas: SHARED_SCHEMAS,
    findSession: (request: FastifyRequest, context: RequestContext) =>
      gateway.findSession(readRawToken(request.raw.rawHeaders), context),
    toErrorBody: ({ retCode, retMsg }: ErrorAnswer) => ({ retCode, retMsg })
  }
  const routes = [createRoute<ConnectionInfoBody>(settings, gateway, {
    ...ofVendor,
    path,
    schema: connectionInfoSchema,
    roomField: 'roomId',
    checkBody: checkConnectionInfoBody,
    authorize,
    answer: async (session, body, context) =>
      ({ retCode: '0', data: await gateway.connectionInfo(session, body, context) })
  })]
  if (apiFabric !== undefined) {
    const { path = API_FABRIC_PATH } = apiFabric
    routes.push(createRoute(settings, gateway, createApiFabricEndpoint(apiFabric, path, settings, gateway)))
  }
  if (!canEndCalls(registry)) return routes
  routes.push(createRoute<ReleaseBody>(settings, gateway, {
    ...ofVendor,
    path: releasePath,
    schema: releaseSchema,
    roomField: 'callId',
    checkBody: checkReleaseBody,
    authorize: authorizeRelease,
    async answer (session, body, context) {
      await gateway.endCall(session, body, context)
      return { retCode: '0' }
    }
  }))
  return routes
}
