import { systemClock } from '../common/clock.js'
import { Deadline, DeadlineError } from '../common/deadline.js'
import { ReasonError } from '../common/reason.js'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../common/clock.js'

export type DependencyName = 'sessions' | 'registry' | 'provision'

/** Milliseconds spent in each dependency, for the log line. */
export type Timings = Partial<Record<DependencyName, number>>

/** The part of a request that its dependencies need. */
export interface RequestContext {
  budget: Budget
  timings: Timings
  /** Left out for calls of `app.cobrowse`. */
  readonly request?: FastifyRequest | undefined
  /** The room's node, as soon as it is known. */
  nodeId?: string | undefined
}

/** The caller disconnected before its answer. */
export class CallerGoneError extends ReasonError {
  override name = 'CallerGoneError'
}

/** The time limit of one request, including every dependency. */
export class Budget extends Deadline {
  readonly #ms: number
  readonly #startedAt: number
  #bodyMs = 0

  /** @param ms from now, after the head of the request has arrived */
  constructor (ms: number, clock: Clock = systemClock) {
    super(clock, ms)
    this.#ms = ms
    this.#startedAt = this.endsAt - ms
  }

  /** The body is complete. */
  bodyArrived (): void {
    this.#bodyMs = this.now() - this.#startedAt
  }

  /** Whether the caller's own body, rather than a dependency, took most of the time. */
  isSpentOnBody (): boolean {
    return this.reason instanceof DeadlineError && this.#bodyMs > this.#ms / 2
  }

  /** The caller disconnected. */
  cancel (): void {
    this.end(new CallerGoneError('the caller went away'))
  }
}

/** @param timeout milliseconds that remain for the request */
export function createRequestContext (timeout: number): RequestContext {
  return { budget: new Budget(timeout), timings: {} }
}
