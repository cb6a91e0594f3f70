const TURN_MS = 250
const LEAST = 2
/** Milliseconds that a call takes, on average, where everybody gets time enough; and where not. */
const EASY_MS = 80
const HARD_MS = 200

/**
 * How many rooms are played at once: as many as the machine has time for. Where it has not, leases lapse because nobody
 * gets time enough, and nothing is learned.
 */
export function createPace (most) {
  const waiting = []
  let allowed = LEAST
  let active = 0
  let heard = []

  function begin () {
    while (waiting.length > 0 && active < Math.floor(allowed)) {
      active++
      waiting.shift()()
    }
  }

  setInterval(() => {
    if (heard.length === 0) return
    const mean = heard.reduce((sum, ms) => sum + ms, 0) / heard.length
    heard = []
    if (mean < EASY_MS) allowed = Math.min(most, allowed * 1.2)
    if (mean > HARD_MS) allowed = Math.max(LEAST, allowed * 0.7)
    begin()
  }, TURN_MS).unref()

  return {
    /** A call for a room took so long. */
    heard (ms) {
      heard.push(ms)
    },
    /** Runs the work when there is time for it. */
    async play (work) {
      await new Promise((resolve) => {
        waiting.push(resolve)
        begin()
      })
      try {
        return await work()
      } finally {
        active--
        begin()
      }
    },
    allowed: () => Math.floor(allowed)
  }
}
