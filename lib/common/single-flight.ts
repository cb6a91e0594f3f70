/** A reading that never runs twice at the same time. */
export interface SingleFlight {
  /** Reads, or waits for the reading that is under way. */
  poll (): Promise<void>
  /** Waits for a reading that begins now or later, so that earlier writes are visible to it. */
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
