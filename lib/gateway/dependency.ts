import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBreaker } from '../common/breaker.js'
import { BodyTimeoutError, OverloadedError } from '../errors.js'
import { systemClock } from '../common/clock.js'
import { begin, Deadline, DeadlineError, isOwnBacklog } from '../common/deadline.js'
import { isCatalogued } from '../common/is-catalogued.js'
import { isAnswered, ReasonError } from '../common/reason.js'
import { CallerGoneError } from './request-context.js'
import { isTraced, trace } from './tracing.js'
import type { DependencyName, RequestContext } from './request-context.js'

export interface Dependency {
  /**
   * Asks the dependency within its own limit and the rest of the request's budget.
   *
   * @throws the dependency's error answer, or its catalogued error, with the cause, if the dependency is unavailable
   */
  ask<T> (context: RequestContext, work: (deadline: Deadline) => Promise<T>): Promise<T>
  /** The adapter had the answer in its memory. Counts like a call that took no time. */
  recalled (context: RequestContext): void
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

  function finish ({ context, startedAt }: Call): void {
    count(context, performance.now() - startedAt)
  }

  function count ({ timings }: RequestContext, ms: number): void {
    timings[name] = Math.round(ms)
    observe(name, ms / 1000)
  }

  /** Turns a failure into the error that is answered. */
  async function fail (error: unknown, call: Call): Promise<never> {
    const cause = translate(await blameOf(error, call.asked), call.context)
    note(cause)
    finish(call)
    if (isCatalogued(cause) || cause instanceof CallerGoneError) throw cause
    throw new Unavailable({ cause })
  }

  // One promise and one deadline: each request asks up to three dependencies, so an async function around
  // `withDeadline` is measurable.
  function ask<T> (context: RequestContext, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    if (breaks && !breaker.mayCall()) {
      return Promise.reject(new Unavailable({ cause: new ReasonError('not asked after many failures') }))
    }
    const { budget } = context
    if (budget.isOver) return fail(budget.reason, { asked: undefined, context, startedAt: performance.now() })
    return new Promise((resolve) => {
      const deadline = new Deadline(systemClock, limitMs, budget)
      const call: Call = { asked: undefined, context, startedAt: deadline.endsAt - limitMs }
      const onFailure = (error: unknown) => resolve(fail(error, call))
      deadline.on(onFailure)
      const asked = begin(work, deadline)
      call.asked = asked
      asked.then((answer) => {
        if (deadline.isOver) return
        deadline.done()
        breaker.answered()
        finish(call)
        resolve(answer)
      }, (error: unknown) => {
        if (deadline.isOver) return
        deadline.done()
        onFailure(error)
      })
    })
  }

  return {
    recalled: (context) => count(context, 0),
    ask (context, work) {
      if (!isTraced(name)) return ask(context, work)
      return trace({ operation: name, requestId: context.request?.id }, () => ask(context, work))
    }
  }
}

interface Call {
  /** Absent if the dependency has not been asked. */
  asked: Promise<unknown> | undefined
  context: RequestContext
  startedAt: number
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
