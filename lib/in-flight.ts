/** Counts the requests under way. */
export interface InFlight {
  count (): number
  /** `undefined` when there are as many as may be. Call the result once, when the request is answered. */
  enter (): (() => void) | undefined
  /** Resolves when none is under way, at the latest after `ms`. */
  idle (ms: number): Promise<void>
}

export function createInFlight (max: number): InFlight {
  let count = 0
  let onIdle = () => {}

  return {
    count: () => count,
    enter () {
      if (count >= max) return undefined
      count++
      return () => {
        if (--count === 0) onIdle()
      }
    },
    async idle (ms) {
      if (count === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
