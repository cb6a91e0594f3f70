/** A room may stay behind a shut door for ten minutes, and its node be away for as long. */
export const REMEMBER_ENDS_MS = 900_000

/** Moments at which calls ended, kept for as long as earlier signatures may be used. */
export interface EndedRooms {
  add (key: string, at: number): void
  /** Milliseconds, by the store's clock. */
  at (key: string): number | undefined
  /** Forgets ends from before this moment. */
  forget (before: number): void
  /** Replaces dates after `limit`, since the clock was set back. */
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
      // The entries are in order of arrival, which is close enough to their dates.
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
