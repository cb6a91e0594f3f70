import type { Clock } from '../../../lib/common/clock.js'

// Lua's whole numbers have 32 bits in the simulation, so it begins soon after 1970.
const EPOCH_MS = 10_000_000

interface Timer {
  at: number
  fire: () => void
  process: Process
}

/** As an operating system sees it: it may stand still, and it may be dead. */
export interface Process {
  readonly name: string
  /** SIGSTOP: time goes on, timers wait. */
  isPaused: boolean
  isDead: boolean
  /** Milliseconds by which its wall clock is wrong. */
  wallOffset: number
}

/** The only time there is: it moves when it is told to. */
export class Timeline {
  #now = EPOCH_MS
  #timers = new Set<Timer>()
  /** Called after everything that happened. */
  afterEach = () => {}
  /** Lets one message arrive; false where none can. */
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
      alarm (ms, fire) {
        return this.after(ms, () => fire(false))
      }
    }
  }

  /** Lets everything happen that can happen now. */
  async flush (): Promise<void> {
    do {
      await new Promise((resolve) => setImmediate(resolve))
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

  #next (end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.process.isDead) this.#timers.delete(timer)
      else if (!timer.process.isPaused && timer.at <= end && (first === undefined || timer.at < first.at)) first = timer
    }
    return first
  }
}
