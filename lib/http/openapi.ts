import { Type } from '@sinclair/typebox'
import {
  BodyTimeoutError, BodyTooLargeError, InternalError, InvalidBodyError, InvalidTokenError, NoLiveNodeError,
  NotAuthorizedError, TooManyRequestsError, UnsupportedContentTypeError
} from '../errors.js'
import { ConnectionInfoBodySchema, ID_RULE, ReleaseBodySchema } from './schema.js'
import type { Static, TSchema } from '@sinclair/typebox'
import type { FastifySchema } from 'fastify'

export const ConnectionInfoAnswerSchema = Type.Object({
  retCode: Type.Literal('0'),
  data: Type.Object({
    roomId: Type.String(),
    wssUrl: Type.Optional(Type.String({ description: 'internal address of the node' })),
    wssUrlOut: Type.Optional(Type.String({ description: 'external address of the node' })),
    signature: Type.String({ description: 'handed to the node when connecting; works once' })
  })
}, { $id: 'CobrowseConnectionInfo', description: 'where to connect, and what to show there' })

export const ReleaseAnswerSchema = Type.Object({ retCode: Type.Literal('0') }, {
  $id: 'CobrowseReleased', description: 'the call has no room any more, whether or not it had one'
})

export const ErrorAnswerSchema = Type.Object({
  retCode: Type.String({ pattern: '^\\d{5}$', description: 'HTTP status × 100 + n' }),
  retMsg: Type.String({ description: 'for people; its wording may change' })
}, { $id: 'CobrowseErrorAnswer', description: 'why there is no answer' })

export type ConnectionInfoAnswer = Static<typeof ConnectionInfoAnswerSchema>
export type ErrorAnswerBody = Static<typeof ErrorAnswerSchema>

export const RETRY_AFTER = {
  'Retry-After': { type: 'integer', minimum: 1, description: 'seconds after which to ask again' }
}

/** An answer in OpenAPI's form: a description, an example and headers of its own, a schema that others share. */
export function answer<Example extends object> (
  { $id }: TSchema, description: string, example: Example, headers?: object
) {
  return {
    description,
    ...headers && { headers },
    content: { 'application/json': { schema: { $ref: `${$id}#` }, example } }
  }
}

/** @param error the example, in the words of the catalogue */
export const errorAnswer = (description: string, error: Error & { code: string }, headers?: object) =>
  answer(ErrorAnswerSchema, description, { retCode: error.code.slice(-5), retMsg: error.message }, headers)

const CONNECTION_INFO = {
  retCode: '0',
  data: {
    roomId: '1659938875-16806492',
    wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1',
    wssUrlOut: 'wss://relay.example/ws/cobrowse/1',
    signature: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImNvYnJvd3NlK2p3dCIsImtpZCI6IjIwMjYtMTEifQ.eyJpc3MiOi….Hs0Yk…'
  }
}

const ERROR_ANSWERS = {
  400: errorAnswer('the body is not valid; retMsg names the field', new InvalidBodyError(`roomId ${ID_RULE}`)),
  401: errorAnswer('no valid ccmessaging-token', new InvalidTokenError()),
  403: errorAnswer('not for this session, or not from this web page', new NotAuthorizedError()),
  408: errorAnswer('the body did not arrive in time', new BodyTimeoutError()),
  413: errorAnswer('the body is too large', new BodyTooLargeError()),
  415: errorAnswer('the content type is not JSON in UTF-8', new UnsupportedContentTypeError()),
  429: errorAnswer('flow control', new TooManyRequestsError(), RETRY_AFTER),
  500: errorAnswer('a defect', new InternalError()),
  503: errorAnswer('a dependency cannot be asked, or no node is live', new NoLiveNodeError(), RETRY_AFTER)
}

/**
 * How a caller shows its token, for `components.securitySchemes` of @fastify/swagger. That plugin fails if a route
 * names a scheme that it does not know, so the routes name these only if the host says so.
 */
export const openapiSecuritySchemes = {
  ccmessagingCookie: { type: 'apiKey', in: 'cookie', name: 'ccmessaging-token' },
  ccmessagingHeader: { type: 'apiKey', in: 'header', name: 'ccmessaging-token' }
} as const

/** One of the schemes is enough: for `routeOptions.schema.security`. */
export const openapiSecurity = Object.keys(openapiSecuritySchemes).map((name) => ({ [name]: [] }))

/** The schema as @fastify/swagger reads it. */
export type RouteSchema = FastifySchema & { tags: string[], summary: string, operationId: string }

export const connectionInfoSchema: RouteSchema = {
  tags: ['co-browsing'],
  summary: 'Which WebSocket node holds the room',
  operationId: 'getConnectionInfo',
  body: ConnectionInfoBodySchema,
  response: {
    200: answer(ConnectionInfoAnswerSchema, 'where to connect, and what to show there', CONNECTION_INFO),
    ...ERROR_ANSWERS
  }
}

export const releaseSchema: RouteSchema = {
  tags: ['co-browsing'],
  summary: 'Ends the co-browsing of a call',
  operationId: 'releaseConnection',
  body: ReleaseBodySchema,
  response: {
    200: answer(ReleaseAnswerSchema, 'the call has no room any more, whether or not it had one', { retCode: '0' }),
    ...ERROR_ANSWERS
  }
}

export const ApiFabricAnswerSchema = Type.Object({
  success: Type.Boolean(),
  data: Type.Optional(Type.Object({
    roomId: Type.String(),
    wssUrl: Type.Optional(Type.String({ description: 'internal address of the node' })),
    wssUrlOut: Type.Optional(Type.String({ description: 'external address of the node' })),
    connectParam: Type.String({ description: 'the signature, handed to the node when connecting; works once' })
  })),
  errorCode: Type.Integer({ description: '0, or HTTP status × 100 + n' }),
  errorReason: Type.String({ description: 'for people; its wording may change' })
}, { $id: 'CobrowseApiFabricAnswer', description: 'where to connect, or why there is no answer' })

const { signature: connectParam, ...addresses } = CONNECTION_INFO.data
const fabricExample = { success: true, data: { ...addresses, connectParam }, errorCode: 0, errorReason: '' }

/** The error answers of the other routes, in the envelope of the API fabric. */
const FABRIC_ERRORS = Object.fromEntries(Object.entries(ERROR_ANSWERS).map(([status, errorAnswer]) => {
  const { retCode, retMsg } = errorAnswer.content['application/json'].example
  const example = { success: false, errorCode: Number(retCode), errorReason: retMsg }
  return [status, answer(ApiFabricAnswerSchema, errorAnswer.description, example, errorAnswer.headers)]
}))

export const apiFabricSchema: RouteSchema = {
  tags: ['co-browsing'],
  summary: 'Which WebSocket node holds the room, for a bearer token',
  operationId: 'getConnectionInfoForBearer',
  response: {
    200: answer(ApiFabricAnswerSchema, 'where to connect, and what to show there', fabricExample),
    ...FABRIC_ERRORS
  }
}

/** Schemas that the others refer to. */
export const SHARED_SCHEMAS = [ConnectionInfoAnswerSchema, ReleaseAnswerSchema, ErrorAnswerSchema]
