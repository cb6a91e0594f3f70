import { watchEventLoop } from './event-loop.js'
import type { Alarm, AlarmTarget } from './clock.js'

/** An alarm that fires this late shows that our own event loop was blocked. */
const LATE_MS = 100
/** Alarms that are set within this time share one look at the event loop. */
const SHARED_MS = 10

/** Alarms of one length are due in the order in which they were set, so one timer serves all of them. */
const queues = new Map<number, Queue>()

let wasBusy = watchEventLoop()
let watchedAt = performance.now()

/** The `alarm` of the system clock. */
export function setAlarm (ms: number, target: AlarmTarget): Alarm {
  const length = Math.max(0, ms)
  let queue = queues.get(length)
  if (queue === undefined) {
    queue = new Queue(length)
    queues.set(length, queue)
  }
  return queue.add(target)
}

/** One of each call of each request: an object with methods takes less memory than functions with a context. */
class QueuedAlarm implements Alarm {
  readonly due: number
  readonly #queue: Queue
  readonly #target: AlarmTarget
  readonly #wasBusy = wasBusy
  #state: 'queued' | 'late' | 'over' = 'queued'
  before: QueuedAlarm | undefined
  after: QueuedAlarm | undefined

  constructor (queue: Queue, target: AlarmTarget, due: number) {
    this.#queue = queue
    this.#target = target
    this.due = due
  }

  cancel (): void {
    if (this.#state === 'queued') this.#queue.remove(this)
    this.#state = 'over'
  }

  fire (): void {
    this.#state = 'over'
    this.#target.fire(this.#wasBusy())
  }

  /** Pending input is read first: it may hold the answer. */
  fireNextTurn (): void {
    this.#state = 'late'
    setImmediate(() => {
      if (this.#state === 'late') this.fire()
    })
  }
}

class Queue {
  readonly #length: number
  #first: QueuedAlarm | undefined
  #last: QueuedAlarm | undefined
  /** Keeps the process alive only while alarms are queued. */
  #timer: NodeJS.Timeout | undefined
  readonly #fireDue = (): void => this.#fire()

  constructor (length: number) {
    this.#length = length
  }

  add (target: AlarmTarget): Alarm {
    const now = performance.now()
    if (now - watchedAt > SHARED_MS) {
      wasBusy = watchEventLoop()
      watchedAt = now
    }
    const alarm = new QueuedAlarm(this, target, now + this.#length)
    alarm.before = this.#last
    if (this.#last !== undefined) this.#last.after = alarm
    else {
      this.#first = alarm
      this.#timer?.ref()
    }
    this.#last = alarm
    this.#timer ??= setTimeout(this.#fireDue, this.#length)
    return alarm
  }

  remove (alarm: QueuedAlarm): void {
    const { before, after } = alarm
    // A dead alarm in the old generation would keep all later ones alive until the next full garbage collection.
    alarm.before = alarm.after = undefined
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    if (this.#first === undefined) this.#timer?.unref()
  }

  #fire (): void {
    this.#timer = undefined
    const now = performance.now()
    try {
      for (let alarm = this.#first; alarm !== undefined && alarm.due <= now; alarm = this.#first) {
        this.remove(alarm)
        if (now - alarm.due > LATE_MS) alarm.fireNextTurn()
        else alarm.fire()
      }
    } finally {
      // An exception must not silence the others.
      if (this.#first === undefined) queues.delete(this.#length)
      else this.#timer ??= setTimeout(this.#fireDue, Math.max(0, this.#first.due - now))
    }
  }
}
