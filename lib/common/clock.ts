import { setAlarm } from './alarms.js'

export interface AlarmTarget {
  /** @param wasBusy whether our own event loop was busy nearly all of the time */
  fire (wasBusy: boolean): void
}

export interface Alarm {
  /** The moment by the monotonic clock, in milliseconds. */
  readonly due: number
  cancel (): void
}

/** The only source of time. Injected, so that tests can make a node sleep, or let a minute pass at once. */
export interface Clock {
  /** Milliseconds that never decrease; they may stand still while the machine is suspended. */
  monotonic (): number
  /** Milliseconds since the epoch; they jump if the system time is set. */
  wall (): number
  /** Fires once. Never keeps the process alive. @returns cancels it */
  after (ms: number, fire: () => void): () => void
  /**
   * Fires once, at the end of a wait for an answer. After a block of our own event loop, pending input is read first:
   * an answer that is already in the socket is not late.
   *
   * @returns cancels the alarm
   */
  alarm (ms: number, target: AlarmTarget): Alarm
  /** Runs once, after the input that has arrived by now. */
  endOfTurn (action: () => void): void
}

/** A moment on both clocks. */
export interface Moment {
  monotonic: number
  wall: number
}

export const momentOf = (clock: Pick<Clock, 'monotonic' | 'wall'>): Moment =>
  ({ monotonic: clock.monotonic(), wall: clock.wall() })

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after (ms, fire) {
    const timer = setTimeout(fire, ms).unref()
    return () => clearTimeout(timer)
  },
  alarm: setAlarm,
  endOfTurn: (action) => { setImmediate(action) }
}
