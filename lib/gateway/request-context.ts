import { systemClock } from '../common/clock.js'
import { DeadlineError } from '../common/deadline.js'
import { ReasonError } from '../common/reason.js'

export type DependencyName = 'sessions' | 'registry' | 'provision'

/** Milliseconds spent in each dependency, for the log line. */
export type Timings = Partial<Record<DependencyName, number>>

/** The part of a request that its dependencies need. */
export interface RequestContext {
  budget: Budget
  timings: Timings
  /** The room's node, as soon as it is known. */
  nodeId?: string
}

/** The caller disconnected before its answer. */
export class CallerGoneError extends ReasonError {
  override name = 'CallerGoneError'
}

/** The time limit of one request, including every dependency. */
export interface Budget {
  /** Aborts if time ran out or the caller disconnected. */
  readonly signal: AbortSignal
  /** Read from the clock: after a stall of our own loop, `true` before the signal aborts. */
  isSpent (): boolean
  /** The body is complete. */
  bodyArrived (): void
  /** Whether the caller's own body, rather than a dependency, took most of the time. */
  isSpentOnBody (): boolean
  /** The caller disconnected. */
  cancel (): void
  /** The answer is sent: the timer is cleared. */
  end (): void
}

/** @param ms from now, after the head of the request has arrived */
export function startBudget (ms: number): Budget {
  const startedAt = performance.now()
  const controller = new AbortController()
  const cancelAlarm = systemClock.alarm(ms, (wasBusy) => {
    controller.abort(new DeadlineError(`not answered within ${ms} ms`, wasBusy))
  })
  let bodyMs = 0
  return {
    signal: controller.signal,
    isSpent: () => controller.signal.aborted || performance.now() - startedAt > ms,
    bodyArrived () {
      bodyMs = performance.now() - startedAt
    },
    isSpentOnBody: () => controller.signal.reason instanceof DeadlineError && bodyMs > ms / 2,
    cancel: () => controller.abort(new CallerGoneError('the caller went away')),
    end: cancelAlarm
  }
}

/** @param timeout milliseconds that remain for the request */
export function createRequestContext (timeout: number): RequestContext {
  return { budget: startBudget(timeout), timings: {} }
}
