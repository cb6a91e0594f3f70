const TURN_MS = 250
const LEAST = 2
/** Average milliseconds of a request on a machine with enough time, and on an overloaded one. */
const EASY_MS = 80
const HARD_MS = 200

/**
 * Limits the number of rooms played at once to the capacity of the machine. On an overloaded machine leases lapse
 * because no process gets enough time, which proves nothing.
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
    /** Records the milliseconds of a request for a room. */
    heard (ms) {
      heard.push(ms)
    },
    /** Runs the work as soon as the pace allows. */
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
