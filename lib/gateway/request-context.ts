import { systemClock } from '../common/clock.js'
import { DeadlineError } from '../common/deadline.js'
import { ReasonError } from '../common/reason.js'

export type DependencyName = 'sessions' | 'registry' | 'provision'

/** Milliseconds spent in each dependency, for the log line. */
export type Timings = Partial<Record<DependencyName, number>>

/** One request, as far as its dependencies are concerned. */
export interface RequestContext {
  budget: Budget
  timings: Timings
  /** The room's node, once it is known. */
  nodeId?: string
}

/** The caller went away before it had its answer. */
export class CallerGoneError extends ReasonError {
  override name = 'CallerGoneError'
}

/** The time that one request has, every dependency included. */
export interface Budget {
  /** Aborts when time ran out or the caller went away. */
  readonly signal: AbortSignal
  /** Read from the clock: after a stall of our own loop it is true before the signal aborts. */
  isSpent (): boolean
  /** The body is complete. */
  bodyArrived (): void
  /** Whether the caller's own body, rather than a dependency, took most of the time. */
  isSpentOnBody (): boolean
  /** The caller went away. */
  cancel (): void
  /** The answer is out: the alarm is off. */
  end (): void
}

/** @param ms from now, when the request's head has arrived */
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

/** @param timeout milliseconds that the request has from now */
export function createRequestContext (timeout: number): RequestContext {
  return { budget: startBudget(timeout), timings: {} }
}
