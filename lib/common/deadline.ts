import { watchEventLoop } from './event-loop.js'
import { causesOf, ReasonError } from './reason.js'
import type { Clock } from './clock.js'

/** A timer that fires this late says that our own event loop stood still. */
const LATE_MS = 100

/** A call took longer than it may. */
export class DeadlineError extends ReasonError {
  override name = 'DeadlineError'

  /** Our own event loop was busy all the time: the answer may be there, and wait to be read. */
  readonly isOwn: boolean

  constructor (message: string, isOwn: boolean) {
    super(message)
    this.isOwn = isOwn
  }
}

/** Time ran out while our own event loop was busy, which is no fault of the dependency that was asked. */
export function isOwnBacklog (error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof DeadlineError && cause.isOwn)
}

/**
 * Rings once after `ms` milliseconds. When our own loop stood still meanwhile, pending input is read first:
 * an answer that lies in the socket already is not late.
 *
 * @param clock whose time it is, where that is not the system's
 * @returns cancels it
 */
export function setAlarm (ms: number, ring: () => void, clock?: Clock): () => void {
  if (clock !== undefined) return clock.after(ms, ring)
  const due = performance.now() + ms
  let turn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    if (performance.now() - due <= LATE_MS) ring()
    else turn = setImmediate(ring)
  }, Math.max(0, ms))
  return () => {
    clearTimeout(timer)
    clearImmediate(turn)
  }
}

/**
 * Runs `work`, which settles within `ms` milliseconds whether it heeds its signal or not.
 *
 * @param parent ends it earlier
 * @throws `DeadlineError` when time ran out, the parent's reason when that aborted, else what `work` throws
 */
export async function withDeadline<T> (
  ms: number, work: (signal: AbortSignal) => Promise<T>, parent?: AbortSignal, clock?: Clock
): Promise<T> {
  parent?.throwIfAborted()
  const controller = new AbortController()
  let abort: ((reason: unknown) => void) | undefined
  const cut = new Promise<never>((_resolve, reject) => {
    abort = (reason) => {
      controller.abort(reason)
      reject(reason)
    }
  })
  const onParentAbort = () => abort?.(parent?.reason)
  parent?.addEventListener('abort', onParentAbort, { once: true })
  const wasBusy = clock === undefined ? watchEventLoop() : () => false
  const cancel = setAlarm(ms, () => {
    abort?.(new DeadlineError(`no answer within ${Math.round(ms)} ms`, wasBusy()))
  }, clock)
  try {
    return await Promise.race([work(controller.signal), cut])
  } finally {
    cancel()
    parent?.removeEventListener('abort', onParentAbort)
  }
}

/**
 * Waits for `work` until the signal aborts; the work itself goes on.
 *
 * @throws the signal's reason
 */
export async function untilAborted<T> (work: T | Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await work
  let onAbort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
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
  const wasBusy = watchEventLoop()
  const cancelAlarm = setAlarm(ms, () => controller.abort(new DeadlineError(`not answered within ${ms} ms`, wasBusy())))
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
