import { watchEventLoop } from './event-loop.js'

type Fire = (wasBusy: boolean) => void

interface Alarm {
  readonly due: number
  readonly fire: Fire
  readonly wasBusy: () => boolean
  state: 'queued' | 'late' | 'over'
  before: Alarm | undefined
  after: Alarm | undefined
}

/** An alarm that fires this late shows that our own event loop was blocked. */
const LATE_MS = 100
/** Alarms that are set within this time share one look at the event loop. */
const SHARED_MS = 10

/** Alarms of one length are due in the order in which they were set, so one timer serves all of them. */
const queues = new Map<number, (fire: Fire) => () => void>()

let wasBusy = watchEventLoop()
let watchedAt = performance.now()

/** The `alarm` of the system clock. */
export function setAlarm (ms: number, fire: Fire): () => void {
  const length = Math.max(0, ms)
  const queue = queues.get(length) ?? createQueue(length)
  queues.set(length, queue)
  return queue(fire)
}

function createQueue (length: number): (fire: Fire) => () => void {
  let first: Alarm | undefined
  let last: Alarm | undefined
  /** Keeps the process alive only while alarms are queued. */
  let timer: NodeJS.Timeout | undefined

  function remove (alarm: Alarm): void {
    const { before, after } = alarm
    if (before === undefined) first = after
    else before.after = after
    if (after === undefined) last = before
    else after.before = before
    if (first === undefined) timer?.unref()
  }

  function cancel (alarm: Alarm): void {
    if (alarm.state === 'queued') remove(alarm)
    alarm.state = 'over'
  }

  function fireDue (): void {
    timer = undefined
    const now = performance.now()
    try {
      for (let alarm = first; alarm !== undefined && alarm.due <= now; alarm = first) {
        remove(alarm)
        if (now - alarm.due > LATE_MS) fireNextTurn(alarm)
        else fireNow(alarm)
      }
    } finally {
      // An exception must not silence the others.
      if (first === undefined) queues.delete(length)
      else timer ??= setTimeout(fireDue, Math.max(0, first.due - now))
    }
  }

  return (fire) => {
    const now = performance.now()
    if (now - watchedAt > SHARED_MS) {
      wasBusy = watchEventLoop()
      watchedAt = now
    }
    const alarm: Alarm = { due: now + length, fire, wasBusy, state: 'queued', before: last, after: undefined }
    if (last !== undefined) last.after = alarm
    else {
      first = alarm
      timer?.ref()
    }
    last = alarm
    timer ??= setTimeout(fireDue, length)
    return () => cancel(alarm)
  }
}

function fireNow (alarm: Alarm): void {
  alarm.state = 'over'
  alarm.fire(alarm.wasBusy())
}

/** Pending input is read first: it may hold the answer. */
function fireNextTurn (alarm: Alarm): void {
  alarm.state = 'late'
  setImmediate(() => {
    if (alarm.state === 'late') fireNow(alarm)
  })
}
