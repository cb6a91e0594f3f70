/** What a part knows of time. Injected, so that tests can let a node sleep, or a minute pass at once. */
export interface Clock {
  /** Milliseconds that only grow; they may stand still while the machine is suspended. */
  monotonic (): number
  /** Milliseconds since the epoch; they jump when somebody sets the time. */
  wall (): number
  /** Rings once. Never keeps the process alive. @returns cancels it */
  after (ms: number, ring: () => void): () => void
}

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after (ms, ring) {
    const timer = setTimeout(ring, ms).unref()
    return () => clearTimeout(timer)
  }
}
