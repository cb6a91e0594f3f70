import { Socket } from 'node:net'
import { startBudget } from '../common/deadline.js'
import { OverloadedError } from '../errors.js'
import { watchCaller } from './caller.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Call } from '../gateway/dependency.js'
import type { Gateway } from '../gateway/gateway.js'
import type { Outcome } from '../gateway/metrics.js'

/** What the metrics count a request as. */
export interface Answer {
  outcome: Outcome
  retCode: string
}

const OK: Answer = { outcome: 'ok', retCode: '0' }
const GONE: Answer = { outcome: 'gone', retCode: 'none' }

/** One request, from its head to its answer. */
export interface RequestContext extends Call {
  /** Absent until the plugin has answered. */
  answer?: Answer
  isGone: boolean
  isCounted: boolean
  /** Gives back the place among the requests in flight. */
  leave?: (() => void) | undefined
  unwatch (): void
}

/** Gives each request of a route its time and its place, takes both back, and counts the request once. */
export function createRequests (gateway: Gateway, timeout: number) {
  const contexts = new WeakMap<FastifyRequest, RequestContext>()
  // Requests that a hook of the host refused before `begin`.
  const refusedEarly = new WeakMap<FastifyRequest, Answer>()

  function contextOf (request: FastifyRequest): RequestContext {
    const context = contexts.get(request)
    if (context === undefined) throw new Error('the onRequest hook of the route did not run')
    return context
  }

  function count (request: FastifyRequest, reply: FastifyReply): void {
    const context = contexts.get(request)
    if (context?.isCounted === true) return
    if (context !== undefined) context.isCounted = true
    const { outcome, retCode } = context?.isGone === true
      ? GONE
      : context?.answer ?? refusedEarly.get(request) ?? answerOfHost(reply)
    gateway.metrics.answered(outcome, retCode, reply.elapsedTime / 1000)
  }

  function overloaded ({ httpVersionMajor, socket }: FastifyRequest['raw']): Error {
    // The streams of HTTP/2 share their connection, and an injected request has none.
    if (httpVersionMajor === 1 && socket instanceof Socket) gateway.turnAway(socket)
    return new OverloadedError()
  }

  return {
    contextOf,
    /** Absent if a hook of the host failed before `begin`. */
    find: (request: FastifyRequest): RequestContext | undefined => contexts.get(request),

    /**
     * Before anything is done for the request: in an overload the time for refusals is taken from the answers.
     *
     * @throws OverloadedError if every place is taken
     */
    checkPlaces ({ raw }: FastifyRequest): void {
      if (gateway.isFull()) throw overloaded(raw)
    },

    /** The head of the request is in. */
    begin (request: FastifyRequest, reply: FastifyReply): void {
      const context: RequestContext = {
        budget: startBudget(timeout), timings: {}, isGone: false, isCounted: false, unwatch () {}
      }
      contexts.set(request, context)
      context.unwatch = watchCaller(request.raw, () => {
        context.isGone = true
        context.budget.cancel()
        count(request, reply)
      })
    },

    /** @throws OverloadedError if every place is taken */
    takePlace ({ raw }: FastifyRequest, context: RequestContext): void {
      const leave = gateway.enter()
      // Others took the places while the body arrived.
      if (leave === undefined) throw overloaded(raw)
      context.leave = leave
      // A hook of the host may hang, and a queued response may never be sent.
      context.budget.signal.addEventListener('abort', () => givePlaceBack(context), { once: true })
    },

    answered (context: RequestContext): void {
      context.answer = OK
      end(context)
    },

    /** @returns whether the caller is still there to be told */
    refused (request: FastifyRequest, answer: Answer): boolean {
      const context = contexts.get(request)
      if (context === undefined) {
        refusedEarly.set(request, answer)
        return true
      }
      context.answer = answer
      // The stream of HTTP/2 tells its readers that it is over before it tells those who watch it.
      context.isGone ||= request.raw.socket.destroyed
      end(context)
      return !context.isGone
    },

    /** The answer was sent, by the plugin or by a hook of the host; on HTTP/2, the stream is over. */
    finish (request: FastifyRequest, reply: FastifyReply): void {
      const context = contexts.get(request)
      if (context !== undefined) {
        context.isGone ||= !reply.raw.writableEnded
        context.unwatch()
        end(context)
      }
      count(request, reply)
    }
  }
}

/** The work for the caller is done. */
function end (context: RequestContext): void {
  givePlaceBack(context)
  context.budget.end()
}

function givePlaceBack (context: RequestContext): void {
  const { leave } = context
  context.leave = undefined
  leave?.()
}

/** A hook of the host answered in the plugin's place, which is no success of the plugin. */
function answerOfHost ({ statusCode }: FastifyReply): Answer {
  return { outcome: statusCode >= 500 ? 'failed' : 'refused', retCode: 'none' }
}
