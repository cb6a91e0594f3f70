import { causesOf, ReasonError } from './reason.js'
import type { Alarm, Clock } from './clock.js'

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

/** Ends a wait: the signal of another program, or a deadline of ours. */
export type Ending = AbortSignal | Deadline

/** A function, or a wait that is part of this one. */
type Listener = Deadline | ((reason: unknown) => void)

/** An array grows by more places than the two that most waits need. */
const NO_LISTENERS: readonly Listener[] = []

/**
 * The end of a wait: when its time is over, or earlier for another reason. An `AbortSignal` is made only if one is
 * asked for: an `AbortController` alone costs more than everything else here together.
 */
export class Deadline {
  readonly endsAt: number
  readonly #clock: Clock
  readonly #ms: number
  readonly #alarm: Alarm
  readonly #within: Deadline | undefined
  readonly #unfollow: (() => void) | undefined
  #state: 'waiting' | 'over' | 'done' = 'waiting'
  #reason: unknown
  #listeners = NO_LISTENERS
  #controller: AbortController | undefined

  /**
   * @param within a wait that this one is part of
   * @throws the reason of `within` if that is over
   */
  constructor (clock: Clock, ms: number, within?: Ending) {
    if (within instanceof Deadline) {
      throwIfOver(within)
      within.on(this)
      this.#within = within
    } else if (within !== undefined) this.#unfollow = onOver(within, (reason) => this.end(reason))
    this.#clock = clock
    this.#ms = ms
    this.#alarm = clock.alarm(ms, this)
    this.endsAt = this.#alarm.due
  }

  /** The time is over. */
  fire (wasBusy: boolean): void {
    this.end(new DeadlineError(`no answer within ${Math.round(this.#ms)} ms`, wasBusy))
  }

  get isOver (): boolean {
    return this.#state === 'over'
  }

  /** Why the wait is over. */
  get reason (): unknown {
    return this.#reason
  }

  /** Aborts when the wait is over. */
  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.isOver) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  /** Milliseconds of the clock. */
  protected now (): number {
    return this.#clock.monotonic()
  }

  /** Read from the clock: after a stall of our own loop, `true` before the alarm fires. */
  isPassed (): boolean {
    return this.isOver || this.#clock.monotonic() > this.endsAt
  }

  /** Whether a wait of `ms` would not end earlier. */
  endsWithin (clock: Clock, ms: number): boolean {
    if (this.#state !== 'waiting' || clock !== this.#clock) return false
    // The clock is read only if the whole wait is longer.
    return this.#ms <= ms || this.endsAt <= clock.monotonic() + ms
  }

  /** @param listener is called once, when the wait is over */
  on (listener: Listener): void {
    this.#listeners = this.#listeners.length === 0 ? [listener] : [...this.#listeners, listener]
  }

  off (listener: Listener): void {
    if (!this.#listeners.includes(listener)) return
    this.#listeners = this.#listeners.length === 1
      ? NO_LISTENERS
      : this.#listeners.filter((other) => other !== listener)
  }

  /** Ends the wait now. Does nothing if it is over, or if the work is done. */
  end (reason: unknown): void {
    if (this.#state !== 'waiting') return
    const listeners = this.#listeners
    this.done()
    this.#state = 'over'
    this.#reason = reason
    this.#controller?.abort(reason)
    for (const listener of listeners) {
      if (listener instanceof Deadline) listener.end(reason)
      else listener(reason)
    }
  }

  /** The work is done in time. */
  done (): void {
    if (this.#state !== 'waiting') return
    this.#state = 'done'
    this.#listeners = NO_LISTENERS
    this.#alarm.cancel()
    this.#within?.off(this)
    this.#unfollow?.()
  }
}

export function isOver (ending: Ending | undefined): boolean {
  return ending instanceof Deadline ? ending.isOver : ending?.aborted === true
}

/** @throws the reason if the wait is over */
export function throwIfOver (ending: Ending | undefined): void {
  if (isOver(ending)) throw ending?.reason
}

/**
 * @returns stops listening
 * @throws the reason if the wait is over already
 */
function onOver (ending: Ending, listener: (reason: unknown) => void): () => void {
  throwIfOver(ending)
  if (ending instanceof Deadline) {
    ending.on(listener)
    return () => ending.off(listener)
  }
  const onAbort = () => listener(ending.reason)
  ending.addEventListener('abort', onAbort, { once: true })
  return () => ending.removeEventListener('abort', onAbort)
}

export interface DeadlineOptions<T> {
  clock: Clock
  ms: number
  /** Ends the work earlier. */
  within?: Ending | undefined
  /** Receives the value of work that completed after its deadline. */
  onLate?: ((value: T) => void) | undefined
}

/**
 * Runs `work`, and settles in time even if `work` ignores its deadline.
 *
 * @throws `DeadlineError` if time ran out, the reason of `within`, or the error of `work`
 */
export function withDeadline<T> (
  { clock, ms, within, onLate }: DeadlineOptions<T>, work: (deadline: Deadline) => Promise<T>
): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(clock, ms, within)
    deadline.on(reject)
    begin(work, deadline).then((value) => {
      if (deadline.isOver) return onLate?.(value)
      deadline.done()
      resolve(value)
    }, (error: unknown) => {
      deadline.done()
      reject(error)
    })
  })
}

/**
 * `withDeadline` for an adapter: a caller of ours that gives the adapter no longer than this has a deadline already,
 * and stops to wait.
 */
export function withinDeadline<T> (
  options: DeadlineOptions<T>, work: (deadline: Deadline) => Promise<T>
): Promise<T> {
  const { clock, ms, within } = options
  return within instanceof Deadline && within.endsWithin(clock, ms) ? work(within) : withDeadline(options, work)
}

/** Turns an exception of `work` into a rejection, without a further promise for work that throws none. */
export function begin<T> (work: (deadline: Deadline) => Promise<T>, deadline: Deadline): Promise<T> {
  try {
    return work(deadline)
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * Waits for `work` until the wait is over; the work itself goes on.
 *
 * @throws the reason of `ending`
 */
export async function untilOver<T> (work: T | Promise<T>, ending?: Ending): Promise<T> {
  if (ending === undefined || !isThenable(work)) return await work
  return await new Promise<T>((resolve, reject) => {
    // First, so that work that fails after the end is no unhandled rejection.
    work.then(resolve, reject)
    const stop = onOver(ending, reject)
    work.then(stop, stop)
  })
}

function isThenable<T> (value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null)?.then === 'function'
}
