import { LinkedList } from '../common/linked-list.js'
import { CallerGoneError } from '../gateway/request-context.js'
import { BodyTimeoutError, BodyTooLargeError, InvalidBodyError } from '../errors.js'
import { parseJson } from '../common/parse-json.js'
import { ReasonError } from '../common/reason.js'
import { statusOf } from '../common/status-of.js'
import type { FastifyRequest } from 'fastify'
import type { Linked } from '../common/linked-list.js'
import type { Budget } from '../gateway/request-context.js'

export const BODY_LIMIT_BYTES = 4096
/** Bodies that may arrive at one route at the same time. One more ends the oldest of them. */
const MAX_ARRIVING = 4096

type Done = (error: Error | null, body?: unknown) => void

interface Arrival extends Linked<Arrival> {
  isComplete (): boolean
  end (error: Error): void
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A content type parser for JSON that ends with the request's time limit, no matter how the stream ends. */
export function createBodyParser (budgetOf: (request: FastifyRequest) => Budget, maxArriving = MAX_ARRIVING) {
  /** The oldest first. */
  const arriving = new LinkedList<Arrival>()

  return function parseBody (request: FastifyRequest, payload: NodeJS.ReadableStream, done: Done): void {
    const budget = budgetOf(request)
    const chunks: Buffer[] = []
    let length = 0
    let isOver = false
    // Injected requests have no `complete`.
    const arrival: Arrival = {
      before: undefined, after: undefined, end, isComplete: () => request.raw.complete !== false
    }

    if (Number(request.headers['content-length']) > BODY_LIMIT_BYTES) return end(new BodyTooLargeError())
    if (budget.isOver) return onOver()
    // A hook of the host has read the stream, or has destroyed it.
    if (!payload.readable) return onFault(new ReasonError('the stream of a preParsing hook ended before it was read'))
    budget.on(onOver)
    payload.on('data', onData).on('end', onEnd).on('error', onFault).on('close', onFault).resume()
    arriving.add(arrival)
    if (arriving.size > maxArriving) endOldest(arriving)

    function onData (chunk: Buffer | string): void {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      length += bytes.length
      if (length > BODY_LIMIT_BYTES) return end(new BodyTooLargeError())
      chunks.push(bytes)
    }

    function onEnd (): void {
      budget.bodyArrived()
      end()
    }

    function onOver (): void {
      const { reason: cause } = budget
      end(cause instanceof CallerGoneError ? cause : new BodyTimeoutError({ cause }))
    }

    // Stays on the stream: an error without a listener would end the process.
    function onFault (cause?: unknown): void {
      end(statusOf(cause) === undefined ? new InvalidBodyError('the body cannot be read', { cause }) : cause as Error)
    }

    function end (error?: Error): void {
      if (isOver) return
      isOver = true
      arriving.remove(arrival)
      budget.off(onOver)
      payload.off('data', onData)
      if (error === undefined) finish(concat(chunks, length), done)
      else done(error)
    }
  }
}

/** The oldest arrival is either stalled or slow; a body that is complete only waits for its turn. */
function endOldest (arriving: LinkedList<Arrival>): void {
  for (let { first } = arriving; first !== undefined; { first } = arriving) {
    arriving.remove(first)
    if (!first.isComplete()) {
      return first.end(new BodyTimeoutError({ cause: new ReasonError('too many unfinished bodies') }))
    }
  }
}

function concat (chunks: Buffer[], length: number): Buffer {
  const [first] = chunks
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length)
}

function finish (body: Buffer, done: Done): void {
  let value: unknown
  try {
    value = parseJson(utf8.decode(body))
  } catch (cause) {
    return done(new InvalidBodyError('the body must be a JSON object', { cause }))
  }
  done(null, value)
}
