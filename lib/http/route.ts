import { createCohort } from '../common/cohort.js'
import { ClosingError, NotAuthorizedError, UnsupportedContentTypeError } from '../errors.js'
import { checkContentType, checkHeaders, checkOrigin } from './checks.js'
import { assertAuthorized } from './authorize.js'
import { createBodyParser } from './body.js'
import { provideCookies } from './cookies.js'
import { createErrorAnswer, JSON_HEADERS } from './error-answer.js'
import { createRequests } from './requests.js'
import { copyRouteOptions, mergeSchema } from './route-options.js'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Gateway } from '../gateway/gateway.js'
import type { RequestContext } from '../gateway/request-context.js'
import type { Settings } from '../options.js'
import type { RouteSchema } from './openapi.js'
import type { ErrorAnswer } from './to-error-answer.js'
import type { Session } from '../../types/index.js'

/** The part in which the routes differ. */
export interface Endpoint<Body, Given = Body> {
  path: string
  schema: RouteSchema
  /** Schemas that it refers to. */
  sharedSchemas: readonly TSchema[]
  /** The field of the body that names the room. */
  roomField: keyof Body & string
  /** @throws InvalidBodyError */
  checkBody (body: unknown): Given
  /** @throws MissingTokenError or InvalidTokenError; SessionsUnavailableError if that cannot be known */
  findSession (request: FastifyRequest, context: RequestContext): Promise<Session>
  /** Fills in what a checked body may leave out. Omitted: nothing. */
  complete? (body: Given, session: Session): Body
  /** The host's decision. */
  authorize (session: Session, body: Body, request: FastifyRequest): boolean | Promise<boolean>
  /** The body of the answer. */
  answer (session: Session, body: Body, context: RequestContext): Promise<object>
  toErrorBody (error: ErrorAnswer): object
}

/**
 * A route, in a scope of its own: nothing in it reaches the host, and only the host's hooks reach into it. The order of
 * checks: is any place free, origin, content type, size, body, place in flight, token, `authorize`.
 */
export function createRoute<Body, Given = Body> (
  settings: Settings, gateway: Gateway, endpoint: Endpoint<Body, Given>
) {
  const { allowedOrigins, routeOptions, timeout } = settings
  const requests = createRequests(gateway, timeout)
  const heads = createCohort()
  const errorAnswer = createErrorAnswer({
    operation: endpoint.schema.operationId,
    roomField: endpoint.roomField,
    toErrorBody: endpoint.toErrorBody,
    roomHash: gateway.roomHash,
    requests
  })

  return async function route (scope: FastifyInstance): Promise<void> {
    await provideCookies(scope)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', createBodyParser((request) => requests.exchangeOf(request).budget))
    scope.addContentTypeParser('*', async () => { throw new UnsupportedContentTypeError() })
    scope.setReplySerializer((payload) => JSON.stringify(payload))
    scope.setErrorHandler(errorAnswer.answerBare)
    for (const schema of endpoint.sharedSchemas) scope.addSchema(schema)
    scope.addHook('onRequest', checkHead)
    scope.addHook('preHandler', admit)
    scope.addHook('onResponse', finish)
    scope.route({
      ...copyRouteOptions(routeOptions),
      method: 'POST',
      url: endpoint.path,
      schema: mergeSchema(routeOptions?.schema, endpoint.schema),
      validatorCompiler: () => validateBody,
      serializerCompiler: () => JSON.stringify,
      errorHandler: errorAnswer.answer,
      handler: answer
    })
  }

  function checkHead (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (gateway.isClosing()) throw new ClosingError()
    requests.checkPlaces(request, heads.size())
    requests.begin(request, reply)
    checkHeaders(request)
    checkOrigin(request, allowedOrigins)
    checkContentType(request)
    // The heads of all requests that have arrived are read before the first body. To take each request at once as far
    // as it goes without an answer of a store costs an eighth more CPU, and half as much again with adapters in memory.
    heads.add(done)
  }

  function validateBody (body: unknown) {
    try {
      return { value: endpoint.checkBody(body) }
    } catch (error) {
      return { error: error as Error }
    }
  }

  async function admit (request: FastifyRequest): Promise<void> {
    // A hook of the host that runs when routes are added can have set `attachValidation`.
    if (request.validationError !== undefined) throw request.validationError
    const exchange = requests.exchangeOf(request)
    requests.takePlace(request, exchange)
    const session = await endpoint.findSession(request, exchange)
    // The validator has put exactly this type there.
    if (endpoint.complete !== undefined) request.body = endpoint.complete(request.body as Given, session)
    await assertAuthorized(() => endpoint.authorize(session, bodyOf(request), request), exchange.budget)
    request.cobrowseSession = session
  }

  async function answer (request: FastifyRequest, reply: FastifyReply) {
    const { cobrowseSession } = request
    if (cobrowseSession === null) throw new NotAuthorizedError()
    const exchange = requests.exchangeOf(request)
    const payload = await endpoint.answer(cobrowseSession, bodyOf(request), exchange)
    requests.answered(exchange)
    reply.headers(JSON_HEADERS)
    return payload
  }

  function finish (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    requests.finish(request, reply)
    done()
  }

  function bodyOf ({ body }: FastifyRequest): Body {
    // The validator has put exactly this type there, or `complete` has.
    return body as Body
  }
}
