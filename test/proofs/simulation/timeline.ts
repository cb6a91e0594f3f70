import type { Clock } from '../../../lib/common/clock.js'

// The time starts soon after 1970, since whole numbers of Lua have 32 bits in the simulation.
const EPOCH_MS = 10_000_000

interface Action {
  fire: () => void
  process: Process
}

interface Timer extends Action {
  at: number
}

/** A process as an operating system sees it: it may be paused, and it may be dead. */
export interface Process {
  readonly name: string
  /** Paused by SIGSTOP: time goes on, timers wait. */
  isPaused: boolean
  isDead: boolean
  /** Error of its wall clock in milliseconds. */
  wallOffset: number
}

/** The only time in the simulation: it advances on demand. */
export class Timeline {
  #now = EPOCH_MS
  #timers = new Set<Timer>()
  #endsOfTurn: Action[] = []
  /** Called after each event. */
  afterEach = () => {}
  /** Delivers one message; false if there is none. */
  deliver = () => false

  get now (): number {
    return this.#now
  }

  clockOf (process: Process): Clock {
    return {
      monotonic: () => this.#now - EPOCH_MS,
      wall: () => this.#now + process.wallOffset,
      after: (ms, fire) => {
        const timer = { at: this.#now + Math.max(0, ms), fire, process }
        this.#timers.add(timer)
        return () => { this.#timers.delete(timer) }
      },
      alarm (ms, target) {
        return { due: this.monotonic() + ms, cancel: this.after(ms, () => target.fire(false)) }
      },
      endOfTurn: (fire) => { this.#endsOfTurn.push({ fire, process }) }
    }
  }

  /** Runs all events that are due. */
  async flush (): Promise<void> {
    do {
      do await new Promise((resolve) => setImmediate(resolve))
      while (this.#endTurns())
      this.afterEach()
    } while (this.deliver())
  }

  async advance (ms: number): Promise<void> {
    const end = this.#now + ms
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.at)
      this.#timers.delete(timer)
      timer.fire()
      await this.flush()
    }
    this.#now = end
  }

  /** @returns whether any process had waited for the end of its turn */
  #endTurns (): boolean {
    const living = this.#endsOfTurn.filter(({ process }) => !process.isDead)
    this.#endsOfTurn = living.filter(({ process }) => process.isPaused)
    const running = living.filter(({ process }) => !process.isPaused)
    for (const { fire } of running) fire()
    return running.length > 0
  }

  #next (end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.process.isDead) this.#timers.delete(timer)
      else if (!timer.process.isPaused && timer.at <= end && (first === undefined || timer.at < first.at)) first = timer
    }
    return first
  }
}
