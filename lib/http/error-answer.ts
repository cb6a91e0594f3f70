import { validateHeaderName, validateHeaderValue } from 'node:http'
import { stackOf, toReason } from '../common/reason.js'
import { PLUGIN_NAME } from '../options.js'
import { toErrorAnswer } from './to-error-answer.js'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorAnswer } from './to-error-answer.js'
import type { Outcome } from '../gateway/metrics.js'
import type { createRequests } from './requests.js'

const RETRY_AFTER_SECONDS = 1

/** Header fields of every answer. */
export const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }

/** Headers that describe the body intended by a hook of the host, not the body of the error answer. */
const BODY_HEADERS = ['content-encoding', 'content-length', 'transfer-encoding', 'trailer', 'etag']

export interface ErrorAnswerParts {
  operation: string
  /** The field of the body that names the room. */
  roomField: string
  toErrorBody (error: ErrorAnswer): object
  roomHash (room: string): string
  requests: ReturnType<typeof createRequests>
}

/** Answers every error thrown inside the route, by the framework, by a hook of the host or by the plugin. */
export function createErrorAnswer ({ operation, roomField, toErrorBody, roomHash, requests }: ErrorAnswerParts) {
  const answers = new WeakMap<FastifyRequest, ErrorAnswer>()

  /** The error handler of the route. */
  function answer (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const errorAnswer = toErrorAnswer(error, reply.statusCode)
    const { status } = errorAnswer
    answers.set(request, errorAnswer)
    const isThere = requests.refused(request, errorAnswer)
    log(error, request, isThere ? errorAnswer : { ...errorAnswer, outcome: 'gone' })
    for (const name of BODY_HEADERS) reply.removeHeader(name)
    reply.headers(JSON_HEADERS)
    if (!reply.hasHeader('retry-after')) reply.headers(retryAfter(status))
    if (request.raw.httpVersionMajor === 2) endHalfOpenStream(request, reply)
    reply.code(status).send(toErrorBody(errorAnswer))
  }

  /**
   * The error handler of the scope. Fastify calls it if the route's own answer fails, as when a hook of the host throws
   * at every answer. It therefore uses nothing of Fastify.
   */
  function answerBare (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const errorAnswer = answers.get(request) ?? toErrorAnswer(error)
    const { status, retCode } = errorAnswer
    if (retCode !== '50001') {
      request.log.error({ plugin: PLUGIN_NAME, operation, reason: toReason(error) }, 'a hook failed at the answer of a refused request')
    }
    const { raw } = reply
    reply.hijack()
    if (raw.headersSent) {
      raw.destroy()
      return
    }
    const payload = JSON.stringify(toErrorBody(errorAnswer))
    const own = { ...JSON_HEADERS, 'content-length': Buffer.byteLength(payload) }
    try {
      writeHead(raw, status, { ...retryAfter(status), ...sendable(reply.getHeaders()), ...own })
    } catch {
      // Node.js refuses more than its checks tell: HTTP/2, for example, forbids the headers of a connection.
      writeHead(raw, status, { ...retryAfter(status), ...own })
    }
    raw.end(payload)
  }

  function log (error: unknown, request: FastifyRequest, { status, retCode, outcome }: ErrorAnswer): void {
    // Absent if a hook of the host failed before ours.
    const exchange = requests.find(request)
    request.log[levelOf(status, retCode, outcome)]({
      plugin: PLUGIN_NAME,
      operation,
      outcome,
      retCode,
      tenant: request.cobrowseSession?.tenantId,
      node: exchange?.nodeId,
      room: hashIn(request.body),
      timings: exchange?.timings,
      reason: status === 400 ? undefined : toReason(error),
      stack: retCode === '50001' && error instanceof Error ? stackOf(error) : undefined
    }, `co-browsing request ${outcome}`)
  }

  function hashIn (body: unknown): string | undefined {
    const room: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, roomField) : undefined
    return typeof room === 'string' ? roomHash(room) : undefined
  }

  return { answer, answerBare }
}

function levelOf (status: number, retCode: string, outcome: Outcome): 'debug' | 'info' | 'warn' | 'error' {
  if (outcome === 'gone') return 'debug'
  if (retCode === '50001') return 'error'
  return status < 500 ? 'info' : 'warn'
}

function retryAfter (status: number): OutgoingHttpHeaders {
  return status === 429 || status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}
}

function writeHead (raw: ServerResponse, status: number, headers: OutgoingHttpHeaders): void {
  for (const name of raw.getHeaderNames()) raw.removeHeader(name)
  raw.writeHead(status, headers)
}

// A header that cannot be sent makes every answer of Fastify fail.
function sendable (headers: Record<string, unknown>): OutgoingHttpHeaders {
  const entries = Object.entries(headers).filter(([name, value]) => {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, String(value))
      return !BODY_HEADERS.includes(name)
    } catch {
      return false
    }
  })
  // The type of `Object.fromEntries` loses the names.
  return Object.fromEntries(entries) as OutgoingHttpHeaders
}

// A stream whose body is not complete would stay half open until its caller ends it (RFC 9113, section 8.1).
function endHalfOpenStream ({ raw: { complete } }: FastifyRequest, reply: FastifyReply): void {
  // Forbidden on HTTP/2, and set by Fastify after a failure of the body.
  reply.removeHeader('connection')
  if (complete) return
  // Fastify's types cover HTTP/1 only.
  const { stream } = reply.raw as unknown as Http2ServerResponse
  stream.once('finish', () => stream.close())
}
