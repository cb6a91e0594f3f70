import { MAX_EVENTS } from '../nodes/room-history.js'
import type { StoredEvent } from '../nodes/room-history.js'

/** Most rooms whose events are kept: those that changed last. */
const MAX_ROOMS = 10_000

/** What happened to rooms, by their names. */
export interface RoomHistories {
  add (name: string, event: Omit<StoredEvent, 'at'>): void
  /** Newest first. */
  of (name: string): readonly StoredEvent[]
}

export const NO_HISTORIES: RoomHistories = { add: () => {}, of: () => [] }

export function createHistories (): RoomHistories {
  const rooms = new Map<string, StoredEvent[]>()
  return {
    add (name, event) {
      const events = [Object.assign({ at: Date.now() }, event), ...rooms.get(name) ?? []].slice(0, MAX_EVENTS)
      // The room moves to the end.
      rooms.delete(name)
      rooms.set(name, events)
      if (rooms.size <= MAX_ROOMS) return
      const [oldest = ''] = rooms.keys()
      rooms.delete(oldest)
    },
    of: (name) => rooms.get(name) ?? []
  }
}
