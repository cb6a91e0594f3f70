import { createRoute } from './route.js'
import { canRelease } from '../gateway/end-call.js'
import { checkConnectionInfoBody, checkReleaseBody, connectionInfoSchema, releaseSchema } from './schema.js'
import type { FastifyPluginAsync } from 'fastify'
import type { Gateway } from '../gateway/gateway.js'
import type { Settings } from '../options.js'
import type { AuthorizeRelease, ConnectionInfoBody, ReleaseBody } from '../../types/index.js'

/** The routes, each in a scope of its own. */
export function createRoutes (settings: Settings, gateway: Gateway): FastifyPluginAsync[] {
  const connectionInfo = createRoute<ConnectionInfoBody>(settings, gateway, {
    path: settings.path,
    schema: connectionInfoSchema,
    roomField: 'roomId',
    checkBody: checkConnectionInfoBody,
    authorize: settings.authorize,
    answer: async (session, body, call) => ({ data: await gateway.connectionInfo(session, body, call) })
  })
  if (!canRelease(settings.registry)) return [connectionInfo]
  const release = createRoute<ReleaseBody>(settings, gateway, {
    path: settings.releasePath,
    schema: releaseSchema,
    roomField: 'callId',
    checkBody: checkReleaseBody,
    authorize: settings.authorizeRelease ?? mayReplay(settings),
    async answer (session, body, call) {
      await gateway.release(session, body, call)
      return {}
    }
  })
  return [connectionInfo, release]
}

// Not "may record": that every customer may, in any call whose id can be guessed.
function mayReplay ({ authorize }: Settings): AuthorizeRelease {
  return (session, { callId: roomId }, request) => {
    const { userId } = session
    return authorize(session, { roomId, userId, userName: userId, role: 'replayer' }, request)
  }
}
