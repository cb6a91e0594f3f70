import { causesOf, ReasonError } from './reason.js'
import type { Clock } from './clock.js'

/** A call exceeded its deadline. */
export class DeadlineError extends ReasonError {
  override name = 'DeadlineError'

  /** Our own event loop was busy all the time: the answer may have arrived and be waiting to be read. */
  readonly isOwn: boolean

  constructor (message: string, isOwn: boolean) {
    super(message)
    this.isOwn = isOwn
  }
}

/** Whether time ran out while our own event loop was busy, which is not a fault of the dependency. */
export function isOwnBacklog (error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof DeadlineError && cause.isOwn)
}

export interface Deadline<T> {
  clock: Clock
  ms: number
  /** Ends the work earlier. */
  signal?: AbortSignal | undefined
  /** Receives the value of work that completed after its deadline. */
  onLate? (value: T): void
}

/**
 * Runs `work`, and settles in time even if `work` ignores its signal.
 *
 * @throws `DeadlineError` if time ran out, the reason of the caller's signal, or the error of `work`
 */
export async function withDeadline<T> (
  { clock, ms, signal, onLate }: Deadline<T>, work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  let abort: ((reason: unknown) => void) | undefined
  const cut = new Promise<never>((_resolve, reject) => {
    abort = (reason) => {
      controller.abort(reason)
      reject(reason)
    }
  })
  let working: Promise<T> | undefined
  const onAbort = () => abort?.(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const cancel = clock.alarm(ms, (wasBusy) => {
    abort?.(new DeadlineError(`no answer within ${Math.round(ms)} ms`, wasBusy))
    if (onLate !== undefined) working?.then(onLate, () => {})
  })
  try {
    working = work(controller.signal)
    return await Promise.race([working, cut])
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
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
