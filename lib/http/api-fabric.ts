import { randomUUID } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { untilOver } from '../common/deadline.js'
import { InvalidTokenError, SessionsUnavailableError } from '../errors.js'
import { readBearerToken } from './bearer-token.js'
import { ApiFabricAnswerSchema, apiFabricSchema } from './openapi.js'
import { ConnectionInfoBodySchema, createBodyCheck, RULES } from './schema.js'
import type { FastifyRequest } from 'fastify'
import type { Gateway } from '../gateway/gateway.js'
import type { RequestContext } from '../gateway/request-context.js'
import type { Endpoint } from './route.js'
import type { Settings } from '../options.js'
import type { ApiFabricOptions, ConnectionInfoBody, Session } from '../../types/index.js'

/** Body of the vendor's API fabric: all but the role may be left out, and an agent may give its number. */
export type ApiFabricBody = Pick<ConnectionInfoBody, 'role'> & Partial<ConnectionInfoBody> & { workNo?: string }

const { roomId, userId, userName, role, unopened } = ConnectionInfoBodySchema.properties

export const ApiFabricBodySchema = Type.Object({
  roomId: Type.Optional(roomId),
  userId: Type.Optional(userId),
  userName: Type.Optional(userName),
  workNo: Type.Optional(userId),
  role,
  unopened
}, { $id: 'CobrowseApiFabricBody', description: 'further fields are ignored' })

const checkBody = createBodyCheck<ApiFabricBody>(ApiFabricBodySchema, { ...RULES, workNo: RULES.userId })

/**
 * The route of the vendor's API fabric: the same answer as that of `getConnectionInfo`, for a bearer token, in another
 * envelope.
 */
export function createApiFabricEndpoint (
  { authenticate }: ApiFabricOptions, path: string, { authorize }: Settings, gateway: Gateway
): Endpoint<ConnectionInfoBody, ApiFabricBody> {
  return {
    path,
    schema: { ...apiFabricSchema, body: ApiFabricBodySchema },
    sharedSchemas: [ApiFabricAnswerSchema],
    roomField: 'roomId',
    checkBody,
    findSession: async (request, context) => await findSession(authenticate, request, context),
    complete,
    authorize,
    async answer (session, body, context) {
      const { signature, ...addresses } = await gateway.connectionInfo(session, body, context)
      return { success: true, data: { ...addresses, connectParam: signature }, errorCode: 0, errorReason: '' }
    },
    toErrorBody: ({ retCode, retMsg }) => ({ success: false, errorCode: Number(retCode), errorReason: retMsg })
  }
}

/** Fills in what the body may leave out; a body that is complete stays as it is. */
function complete (body: ApiFabricBody, session: Session): ConnectionInfoBody {
  const user = body.userId ?? body.workNo ?? session.userId
  const { roomId = randomUUID(), userName = user, role, unopened } = body
  return unopened === undefined
    ? { roomId, userId: user, userName, role }
    : { roomId, userId: user, userName, role, unopened }
}

/** Asks the host's own function, which may hang like any dependency. */
async function findSession (
  authenticate: ApiFabricOptions['authenticate'], request: FastifyRequest, { budget }: RequestContext
): Promise<Session> {
  const token = readBearerToken(request.headers.authorization)
  let session: Session | null
  try {
    session = await untilOver(authenticate(token, request), budget)
  } catch (cause) {
    throw new SessionsUnavailableError({ cause })
  }
  if (session === null) throw new InvalidTokenError()
  return session
}
