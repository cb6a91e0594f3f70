import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBreaker } from '../common/breaker.js'
import { BodyTimeoutError, OverloadedError } from '../errors.js'
import { systemClock } from '../common/clock.js'
import { DeadlineError, isOwnBacklog, withDeadline } from '../common/deadline.js'
import { isCatalogued } from '../common/is-catalogued.js'
import { isAnswered, ReasonError } from '../common/reason.js'
import { CallerGoneError } from './request-context.js'
import type { Deadline } from '../common/deadline.js'
import type { DependencyName, RequestContext } from './request-context.js'

export interface Dependency {
  /**
   * Asks the dependency within its own limit and the rest of the request's budget.
   *
   * @throws the dependency's error answer, or its catalogued error, with the cause, if the dependency is unavailable
   */
  ask<T> (context: RequestContext, work: (deadline: Deadline) => Promise<T>): Promise<T>
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
  const breaker = createBreaker()

  function note (error: unknown): void {
    // A caller that left says nothing about the dependency.
    if (error instanceof CallerGoneError) return
    if (isAnswer(error)) breaker.answered()
    else breaker.failed()
  }

  /** Whether the error is an answer of the dependency, rather than a sign that it is unavailable. */
  function isAnswer (error: unknown): boolean {
    return isAnswered(error) || (isCatalogued(error) && !(error instanceof Unavailable))
  }

  return {
    async ask<T> (context: RequestContext, work: (deadline: Deadline) => Promise<T>): Promise<T> {
      const startedAt = performance.now()
      if (breaks && !breaker.mayCall()) {
        throw new Unavailable({ cause: new ReasonError('not asked after many failures') })
      }
      let asked: Promise<T> | undefined
      try {
        const answer = await withDeadline({ clock: systemClock, ms: limitMs, within: context.budget }, (deadline) => {
          asked = work(deadline)
          return asked
        })
        breaker.answered()
        return answer
      } catch (error) {
        const cause = translate(await blameOf(error, asked), context)
        note(cause)
        if (isCatalogued(cause) || cause instanceof CallerGoneError) throw cause
        throw new Unavailable({ cause })
      } finally {
        const ms = performance.now() - startedAt
        context.timings[name] = Math.round(ms)
        observe(name, ms / 1000)
      }
    }
  }
}

/** Time that our own loop or the caller's body took is not the dependency's fault. */
function translate (cause: unknown, { budget }: RequestContext): unknown {
  if (budget.isSpentOnBody()) return new BodyTimeoutError({ cause })
  return isOwnBacklog(cause) ? new OverloadedError({ cause }) : cause
}

/**
 * A time-out inside a function of the host is not the dependency's fault: the adapter reports it when its deadline
 * passes.
 */
async function blameOf (error: unknown, asked: Promise<unknown> | undefined): Promise<unknown> {
  if (!(error instanceof DeadlineError)) return error
  const why = await Promise.race([Promise.resolve(asked).catch((error: unknown) => error), nextTurn()])
  return isAnswered(why) ? why : error
}
