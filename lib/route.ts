import { createHmac } from 'node:crypto'
import { Socket } from 'node:net'
import cookie from '@fastify/cookie'
import secureJson from 'secure-json-parse'
import { untilAborted } from './deadline.js'
import {
  ClosingError, InvalidBodyError, NotAuthorizedError, OverloadedError, UnsupportedContentTypeError
} from './errors.js'
import { stackOf, toReason } from './reason.js'
import { statusOf, toRefusal } from './refusal.js'
import { limitBody, startRequestBudget } from './request-budget.js'
import { checkContentType, checkHeaders, checkOrigin } from './request-checks.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Call } from './dependency.js'
import type { Gateway } from './gateway.js'
import type { Outcome } from './metrics.js'
import type { Settings } from './options.js'
import type { RouteSchema } from './schema.js'
import type { Session } from '../types/index.js'

const BODY_LIMIT_BYTES = 4096
const RETRY_AFTER_SECONDS = 1

/** What one route has of its own. */
export interface Endpoint<Body> {
  path: string
  schema: RouteSchema
  /** Names the room in the body. */
  roomField: keyof Body & string
  /** @throws InvalidBodyError */
  checkBody (body: unknown): Body
  /** The host's decision. */
  authorize (session: Session, body: Body, request: FastifyRequest): boolean | Promise<boolean>
  /** What the answer holds beside the retCode. */
  answer (session: Session, body: Body, call: Call): Promise<object>
}

/** A route, in a scope of its own: nothing in it reaches the host, and of the host only its hooks reach into it. */
export function createRoute<Body> (settings: Settings, gateway: Gateway, endpoint: Endpoint<Body>) {
  const calls = new WeakMap<FastifyRequest, Call>()
  const refused = new WeakMap<FastifyRequest, { retCode: string, outcome: Outcome }>()
  const { allowedOrigins, routeOptions, timeout, signing: { keys: [key] } } = settings

  return async function route (scope: FastifyInstance): Promise<void> {
    if (!scope.hasRequestDecorator('cookies')) await scope.register(cookie)
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJson)
    scope.addContentTypeParser('*', async () => { throw new UnsupportedContentTypeError() })
    scope.setReplySerializer((payload) => JSON.stringify(payload))
    scope.setErrorHandler(refuse)
    scope.addHook('onRequest', begin)
    scope.addHook('preParsing', async (request, _reply, payload) => limitBody(payload, callOf(request).budget))
    scope.addHook('preHandler', authenticate)
    scope.addHook('onResponse', count)
    scope.route({
      ...routeOptions,
      method: 'POST',
      url: endpoint.path,
      bodyLimit: BODY_LIMIT_BYTES,
      schema: { ...routeOptions?.schema, ...endpoint.schema },
      validatorCompiler: () => validateBody,
      serializerCompiler: () => JSON.stringify,
      handler: answer
    })
  }

  async function begin (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    calls.set(request, { budget: startRequestBudget(timeout, reply), timings: {} })
    if (gateway.isClosing()) throw new ClosingError()
    checkHeaders(request)
    checkOrigin(request, allowedOrigins)
    const leave = gateway.enter()
    if (leave === undefined) {
      const { socket, httpVersionMajor } = request.raw
      // The streams of HTTP/2 share their connection, and an injected request has none.
      if (httpVersionMajor === 1 && socket instanceof Socket) gateway.turnAway(socket)
      throw new OverloadedError()
    }
    reply.raw.once('close', leave)
    checkContentType(request)
  }

  function validateBody (body: unknown) {
    try {
      return { value: endpoint.checkBody(body) }
    } catch (error) {
      return { error: error as Error }
    }
  }

  async function authenticate (request: FastifyRequest): Promise<void> {
    const call = callOf(request)
    const session = await gateway.authenticate(request, call)
    if (!await isAuthorized(session, request, call)) throw new NotAuthorizedError()
    request.cobrowseSession = session
  }

  async function isAuthorized (session: Session, request: FastifyRequest, { budget }: Call): Promise<boolean> {
    try {
      // The host's own function may hang like everything else.
      return await untilAborted(endpoint.authorize(session, bodyOf(request), request), budget.signal) === true
    } catch (cause) {
      const status = statusOf(cause) ?? 500
      if (status >= 400 && status < 500) throw new NotAuthorizedError({ cause })
      throw budget.signal.aborted ? new OverloadedError({ cause }) : cause
    }
  }

  async function answer (request: FastifyRequest, reply: FastifyReply) {
    const { cobrowseSession } = request
    if (cobrowseSession === null) throw new NotAuthorizedError()
    const rest = await endpoint.answer(cobrowseSession, bodyOf(request), callOf(request))
    dress(reply)
    return { retCode: '0', ...rest }
  }

  function refuse (error: unknown, request: FastifyRequest, reply: FastifyReply) {
    const { status, retCode, retMsg, outcome } = toRefusal(error)
    refused.set(request, { retCode, outcome })
    // Not there where a hook of the host failed before ours.
    const call = calls.get(request)
    const level = retCode === '50001' ? 'error' : status < 500 ? 'info' : 'warn'
    request.log[level]({
      operation: endpoint.schema.operationId,
      outcome,
      retCode,
      tenant: request.cobrowseSession?.tenantId,
      node: call?.nodeId,
      room: hashOfRoom(request.body),
      timings: call?.timings,
      reason: status === 400 ? undefined : toReason(error),
      stack: retCode === '50001' && error instanceof Error ? stackOf(error) : undefined
    }, `co-browsing request ${outcome}`)
    dress(reply)
    if ((status === 429 || status === 503) && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_AFTER_SECONDS)
    return reply.code(status).send({ retCode, retMsg })
  }

  async function count (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { outcome, retCode } = refused.get(request) ?? { outcome: 'ok', retCode: '0' }
    gateway.metrics.answered(outcome, retCode, reply.elapsedTime / 1000)
  }

  function bodyOf ({ body }: FastifyRequest): Body {
    // The validator has put exactly this there.
    return body as Body
  }

  function callOf (request: FastifyRequest): Call {
    const call = calls.get(request)
    if (call === undefined) throw new Error('the onRequest hook of the route did not run')
    return call
  }

  // The same room has the same hash on every gateway, and nobody without the key can tell the room from it.
  function hashOfRoom (body: unknown): string | undefined {
    const room: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, endpoint.roomField) : undefined
    if (typeof room !== 'string' || key === undefined) return undefined
    return createHmac('sha256', key.secret).update(`log:${room}`).digest('base64url').slice(0, 16)
  }
}

async function parseJson (_request: FastifyRequest, body: Buffer): Promise<unknown> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    return secureJson.parse(text, null, { protoAction: 'error', constructorAction: 'error' })
  } catch (cause) {
    throw new InvalidBodyError('the body must be a JSON object', { cause })
  }
}

function dress (reply: FastifyReply): void {
  reply.type('application/json; charset=utf-8').header('cache-control', 'no-store')
}
