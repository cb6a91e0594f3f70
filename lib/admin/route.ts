import { UnsupportedContentTypeError } from '../errors.js'
import { createBodyParser } from '../http/body.js'
import { checkContentType, checkHeaders, checkOrigin } from '../http/checks.js'
import { createErrorAnswer, JSON_HEADERS } from '../http/error-answer.js'
import { createRequests } from '../http/requests.js'
import { findAuthor } from './author.js'
import { checkInput } from './check-input.js'
import { ADMIN_SCHEMAS } from './schemas.js'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, HookHandlerDoneFunction } from 'fastify'
import type { InFlight } from '../gateway/in-flight.js'
import type { Metrics } from '../gateway/metrics.js'
import type { RequestContext } from '../gateway/request-context.js'
import type { RouteSchema } from '../http/openapi.js'
import type { AdminSettings } from './options.js'

/** A request that was checked, of an operator whom the host knows. */
export interface OperatorRequest {
  request: FastifyRequest
  reply: FastifyReply
  context: RequestContext
  author: string
}

/** The part in which the routes differ. */
export interface AdminRoute {
  method: 'GET' | 'PUT' | 'DELETE' | 'POST'
  url: string
  /** Names the route in the log. */
  operation: string
  schema: FastifySchema & { hide?: boolean }
  /** Whether links on other sites may lead there. Only for files of the page. */
  isLinkable?: boolean
  /** @returns the body of the answer */
  answer (operator: OperatorRequest): unknown
}

/** A route of the API: the log names it as OpenAPI does. */
export function apiRoute (
  method: AdminRoute['method'], url: string, schema: RouteSchema, answer: AdminRoute['answer']
): AdminRoute {
  return { method, url, schema, operation: schema.operationId, answer }
}

export interface AdminRouteParts {
  settings: AdminSettings
  gateway: { inFlight: InFlight, metrics: Metrics }
  roomHash (room: string): string
}

const HAS_BODY = ['PUT', 'POST']

/**
 * A route, in a scope of its own: nothing in it reaches the host, and only the host's hooks reach into it. The order of
 * checks is that of the main route: headers, origin, content type, body, place in flight, `authorize`.
 */
export function createAdminRoute ({ settings, gateway, roomHash }: AdminRouteParts, route: AdminRoute) {
  const { allowedOrigins, authorize, timeout } = settings
  const { method, url, schema, operation, isLinkable = false } = route
  const requests = createRequests(gateway, timeout)
  const errorAnswer = createErrorAnswer({
    operation, roomField: 'room', toErrorBody: ({ retCode, retMsg }) => ({ retCode, retMsg }), roomHash, requests
  })

  return async function adminRoute (scope: FastifyInstance): Promise<void> {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', createBodyParser((request) => requests.exchangeOf(request).budget))
    scope.addContentTypeParser('*', async () => { throw new UnsupportedContentTypeError() })
    scope.setReplySerializer((payload) => JSON.stringify(payload))
    scope.setErrorHandler(errorAnswer.answerBare)
    for (const shared of ADMIN_SCHEMAS) scope.addSchema(shared)
    scope.addHook('onRequest', checkHead)
    scope.addHook('onResponse', finish)
    scope.route({
      method,
      url,
      schema,
      validatorCompiler: ({ schema }) => (input) => validate(schema as TSchema, input),
      serializerCompiler: () => JSON.stringify,
      errorHandler: errorAnswer.answer,
      handler: answer
    })
  }

  function checkHead (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    requests.checkPlaces(request)
    requests.begin(request, reply)
    checkHeaders(request)
    if (!isLinkable) checkOrigin(request, allowedOrigins)
    if (HAS_BODY.includes(method)) checkContentType(request)
    done()
  }

  async function answer (request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    // A hook of the host that runs when routes are added can have set `attachValidation`.
    if (request.validationError !== undefined) throw request.validationError
    const context = requests.exchangeOf(request)
    requests.takePlace(request, context)
    const author = await findAuthor(authorize, request, context.budget)
    reply.headers(JSON_HEADERS)
    const payload = await route.answer({ request, reply, context, author })
    requests.answered(context)
    return payload
  }

  function finish (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    requests.finish(request, reply)
    done()
  }
}

function validate (schema: TSchema, input: unknown) {
  try {
    checkInput(schema, input)
    return { value: input }
  } catch (error) {
    return { error: error as Error }
  }
}
