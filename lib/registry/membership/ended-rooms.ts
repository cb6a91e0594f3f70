/** A room may stay behind a shut door for ten minutes, and its node be away for as long. */
export const REMEMBER_ENDS_MS = 900_000

/** When calls ended, for as long as signatures from before may be shown. */
export interface EndedRooms {
  add (key: string, at: number): void
  /** Milliseconds, by the store's clock. */
  at (key: string): number | undefined
  /** Forgets those from before this moment. */
  forget (before: number): void
  /** The clock was set back: dates after `limit` become this one. */
  redate (limit: number, date: number): void
}

export function createEndedRooms (): EndedRooms {
  const moments = new Map<string, number>()
  return {
    add (key, at) {
      const latest = Math.max(at, moments.get(key) ?? 0)
      moments.delete(key)
      moments.set(key, latest)
    },
    at: (key) => moments.get(key),
    forget (before) {
      // In the order in which they were heard, which is near enough.
      for (const [key, at] of moments) {
        if (at >= before) return
        moments.delete(key)
      }
    },
    redate (limit, date) {
      for (const [key, at] of moments) if (at > limit) moments.set(key, date)
    }
  }
}
