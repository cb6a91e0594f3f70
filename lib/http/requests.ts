import { Socket } from 'node:net'
import { OverloadedError } from '../errors.js'
import { Budget } from '../gateway/request-context.js'
import { unwatchCaller, watchCaller } from './caller.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Waiting } from './caller.js'
import type { Gateway } from '../gateway/gateway.js'
import type { Outcome } from '../gateway/metrics.js'
import type { RequestContext, Timings } from '../gateway/request-context.js'

/** The outcome under which the metrics count a request. */
export interface Answer {
  outcome: Outcome
  retCode: string
}

const OK: Answer = { outcome: 'ok', retCode: '0' }
const GONE: Answer = { outcome: 'gone', retCode: 'none' }

/** One request, from its head to the end of its answer. */
export class Exchange implements RequestContext, Waiting {
  readonly budget: Budget
  readonly timings: Timings = {}
  readonly request: FastifyRequest
  nodeId: string | undefined
  /** Absent until the plugin has answered. */
  answer: Answer | undefined
  isGone = false
  isCounted = false
  /** Returns the place among the requests in flight. */
  leave: (() => void) | undefined
  before: Waiting | undefined
  after: Waiting | undefined
  readonly #onGone: () => void

  /** @param onGone called if the caller disconnects before its answer */
  constructor (request: FastifyRequest, timeout: number, onGone: () => void) {
    this.request = request
    this.budget = new Budget(timeout)
    this.#onGone = onGone
  }

  callerGone (): void {
    this.isGone = true
    this.budget.cancel()
    this.#onGone()
  }
}

/** A property: a WeakMap with an entry per request is work for each run of the garbage collector. */
const EXCHANGE = Symbol('fastify-cobrowse.exchange')

type Held = FastifyRequest & { [EXCHANGE]?: Exchange }

const exchangeIn = (request: FastifyRequest): Exchange | undefined => (request as Held)[EXCHANGE]

/** Gives each request of a route its time limit and its place, takes both back, and counts the request once. */
export function createRequests (gateway: Pick<Gateway, 'inFlight' | 'metrics'>, timeout: number) {
  // Requests that a hook of the host refused before `begin`.
  const refusedEarly = new WeakMap<FastifyRequest, Answer>()

  function exchangeOf (request: FastifyRequest): Exchange {
    const exchange = exchangeIn(request)
    if (exchange === undefined) throw new Error('the onRequest hook of the route did not run')
    return exchange
  }

  function count (request: FastifyRequest, reply: FastifyReply): void {
    const exchange = exchangeIn(request)
    if (exchange?.isCounted === true) return
    if (exchange !== undefined) exchange.isCounted = true
    const { outcome, retCode } = exchange?.isGone === true
      ? GONE
      : exchange?.answer ?? refusedEarly.get(request) ?? answerOfHost(reply)
    gateway.metrics.answered(outcome, retCode, reply.elapsedTime / 1000)
  }

  function overloaded ({ httpVersionMajor, socket }: FastifyRequest['raw']): Error {
    // The streams of HTTP/2 share their connection, and an injected request has none.
    if (httpVersionMajor === 1 && socket instanceof Socket) gateway.inFlight.turnAway(socket)
    return new OverloadedError()
  }

  return {
    exchangeOf,
    /** Absent if a hook of the host failed before `begin`. */
    find: exchangeIn,

    /**
     * Runs before any work for the request: in an overload, time for error answers is taken from successful ones.
     *
     * @param before requests whose heads were accepted in this turn of the event loop, and which have no place so far
     * @throws OverloadedError if every place is taken
     */
    checkPlaces ({ raw }: FastifyRequest, before = 0): void {
      if (gateway.inFlight.isFull(before)) throw overloaded(raw)
    },

    /** The head of the request has arrived. */
    begin (request: FastifyRequest, reply: FastifyReply): void {
      const exchange = new Exchange(request, timeout, () => count(request, reply))
      const held: Held = request
      held[EXCHANGE] = exchange
      watchCaller(request.raw, exchange)
    },

    /** @throws OverloadedError if every place is taken */
    takePlace ({ raw }: FastifyRequest, exchange: Exchange): void {
      const leave = gateway.inFlight.enter()
      // Other requests took the places while the body arrived.
      if (leave === undefined) throw overloaded(raw)
      exchange.leave = leave
      // A hook of the host may hang, and a queued response may never be sent.
      exchange.budget.on(() => givePlaceBack(exchange))
    },

    answered (exchange: Exchange): void {
      exchange.answer = OK
      end(exchange)
    },

    /** @returns whether the caller is still connected */
    refused (request: FastifyRequest, answer: Answer): boolean {
      const exchange = exchangeIn(request)
      if (exchange === undefined) {
        refusedEarly.set(request, answer)
        return true
      }
      exchange.answer = answer
      // A stream of HTTP/2 reports its end to its readers before it does to `watchCaller`.
      exchange.isGone ||= request.raw.socket.destroyed
      end(exchange)
      return !exchange.isGone
    },

    /** The plugin or a hook of the host sent the answer; on HTTP/2, the stream is closed. */
    finish (request: FastifyRequest, reply: FastifyReply): void {
      const exchange = exchangeIn(request)
      if (exchange !== undefined) {
        exchange.isGone ||= !reply.raw.writableEnded
        unwatchCaller(request.raw, exchange)
        end(exchange)
      }
      count(request, reply)
    }
  }
}

/** The work for the caller is done. */
function end (exchange: Exchange): void {
  givePlaceBack(exchange)
  exchange.budget.done()
}

function givePlaceBack (exchange: Exchange): void {
  const { leave } = exchange
  exchange.leave = undefined
  leave?.()
}

/** A hook of the host answered in the plugin's place, which is no success of the plugin. */
function answerOfHost ({ statusCode }: FastifyReply): Answer {
  return { outcome: statusCode >= 500 ? 'failed' : 'refused', retCode: 'none' }
}
