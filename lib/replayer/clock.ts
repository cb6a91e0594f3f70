const TICK_MS = 1000
/** A page may be busy for one tick, and draws after it. */
const TICKS = 2

export interface ClockWatch {
  /** Events that wait to be drawn. */
  readonly waiting: number
  add (): void
  drawn (): void
  /** A new clock has started. */
  reset (): void
}

/** rrweb draws by a clock that an error of its own stops for good. A hidden page draws nothing, which is no error. */
export function watchClock (onStopped: () => void): ClockWatch {
  let waiting = 0
  let quiet = 0
  let timer: ReturnType<typeof setInterval> | undefined

  function rest (): void {
    clearInterval(timer)
    timer = undefined
    waiting = quiet = 0
  }

  function tick (): void {
    if (document.hidden) return
    quiet++
    if (quiet <= TICKS) return
    quiet = 0
    onStopped()
  }

  return {
    get waiting () {
      return waiting
    },
    add () {
      waiting++
      timer ??= setInterval(tick, TICK_MS)
    },
    drawn () {
      quiet = 0
      if (--waiting <= 0) rest()
    },
    reset: rest
  }
}
