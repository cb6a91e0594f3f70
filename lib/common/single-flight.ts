/** A reading of which only one is under way. */
export interface SingleFlight {
  /** Reads, or waits for the reading that is under way. */
  poll (): Promise<void>
  /** Waits for a reading that begins now or later, so that it sees what was written before. */
  refresh (): Promise<void>
}

export function createSingleFlight (read: () => Promise<void>): SingleFlight {
  let reading: Promise<void> | undefined
  let next: Promise<void> | undefined

  function poll (): Promise<void> {
    reading ??= read().finally(() => { reading = undefined })
    return reading
  }

  return {
    poll,
    refresh () {
      if (reading === undefined) return poll()
      next ??= reading.catch(() => {}).then(() => {
        next = undefined
        return poll()
      })
      return next
    }
  }
}
