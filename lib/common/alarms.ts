import { watchEventLoop } from './event-loop.js'
import { LinkedList } from './linked-list.js'
import type { Alarm, AlarmTarget } from './clock.js'
import type { Linked } from './linked-list.js'

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
class QueuedAlarm implements Alarm, Linked<QueuedAlarm> {
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
  readonly #alarms = new LinkedList<QueuedAlarm>()
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
    if (this.#alarms.size === 0) this.#timer?.ref()
    this.#alarms.add(alarm)
    this.#timer ??= setTimeout(this.#fireDue, this.#length)
    return alarm
  }

  remove (alarm: QueuedAlarm): void {
    this.#alarms.remove(alarm)
    if (this.#alarms.size === 0) this.#timer?.unref()
  }

  #fire (): void {
    this.#timer = undefined
    const now = performance.now()
    try {
      for (let alarm = this.#alarms.first; alarm !== undefined && alarm.due <= now; alarm = this.#alarms.first) {
        this.remove(alarm)
        if (now - alarm.due > LATE_MS) alarm.fireNextTurn()
        else alarm.fire()
      }
    } finally {
      const next = this.#alarms.first
      // An exception must not silence the others.
      if (next === undefined) queues.delete(this.#length)
      else this.#timer ??= setTimeout(this.#fireDue, Math.max(0, next.due - now))
    }
  }
}
