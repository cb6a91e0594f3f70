import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBreaker } from '../common/breaker.js'
import { BodyTimeoutError, OverloadedError } from '../errors.js'
import { systemClock } from '../common/clock.js'
import { DeadlineError, isOwnBacklog, withDeadline } from '../common/deadline.js'
import { isCatalogued } from '../common/is-catalogued.js'
import { isAnswered } from '../common/reason.js'
import { CallerGoneError } from './request-context.js'
import type { DependencyName, RequestContext } from './request-context.js'

export interface Dependency {
  /**
   * Asks the dependency within its own limit and the rest of the request's budget.
   *
   * @throws the dependency's error answer, or its catalogued error, with the cause, if the dependency is unavailable
   */
  ask<T> (context: RequestContext, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Stops the breaker's timers. */
  close (): void
}

export interface DependencyOptions {
  name: DependencyName
  /** Time limit of one call, in milliseconds. */
  limitMs: number
  /** `false` for an adapter that can answer from memory while its backend is away, and has a breaker of its own. */
  breaks: boolean
  Unavailable: new (options: { cause: unknown }) => Error
  observe (name: DependencyName, seconds: number): void
}

export function createDependency (options: DependencyOptions): Dependency {
  const { name, limitMs, breaks, Unavailable, observe } = options
  const breaker = createBreaker(async ({ budget }: RequestContext, work: (signal: AbortSignal) => Promise<unknown>) => {
    try {
      return await askInTime(limitMs, work, budget.signal)
    } catch (cause) {
      if (budget.isSpentOnBody()) throw new BodyTimeoutError({ cause })
      throw isOwnBacklog(cause) ? new OverloadedError({ cause }) : cause
    }
  }, { enabled: breaks, isHealthy: (error) => isAnswer(error) || error instanceof CallerGoneError })

  /** Whether the error is an answer of the dependency, rather than a sign that it is unavailable. */
  function isAnswer (error: unknown): boolean {
    return isAnswered(error) || (isCatalogued(error) && !(error instanceof Unavailable))
  }

  return {
    async ask<T> (context: RequestContext, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
      const startedAt = performance.now()
      try {
        // The breaker passes the result of `work` through, but its type loses it.
        return await breaker.fire(context, work) as T
      } catch (cause) {
        if (isCatalogued(cause) || cause instanceof CallerGoneError) throw cause
        throw new Unavailable({ cause })
      } finally {
        const ms = performance.now() - startedAt
        context.timings[name] = Math.round(ms)
        observe(name, ms / 1000)
      }
    },
    close () {
      breaker.shutdown()
    }
  }
}

/**
 * Like `withDeadline`. A time-out inside a function of the host is not the dependency's fault: the adapter reports it
 * when its signal aborts.
 */
async function askInTime (
  ms: number, work: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal
): Promise<unknown> {
  let asked: Promise<unknown> | undefined
  try {
    return await withDeadline({ clock: systemClock, ms, signal }, (limit) => {
      asked = work(limit)
      return asked
    })
  } catch (cause) {
    if (!(cause instanceof DeadlineError)) throw cause
    const why = await Promise.race([Promise.resolve(asked).catch((error: unknown) => error), nextTurn()])
    throw isAnswered(why) ? why : cause
  }
}
