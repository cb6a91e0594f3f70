import type { Member } from './bindings.js'

export interface MovedRoom {
  /** The registration that the room left. */
  member: Member
  /** Id of the node that is to have the room. */
  to: string | undefined
}

/** Rooms that an operator moved and nobody has asked for since. */
export interface MovedRooms {
  add (name: string, move: MovedRoom): void
  find (name: string): MovedRoom | undefined
  forget (name: string): void
}

/** @param keepMs how long a move is remembered */
export function createMovedRooms (keepMs: number): MovedRooms {
  const rooms = new Map<string, MovedRoom & { until: number }>()

  function sweep (): void {
    const now = performance.now()
    for (const [name, { until }] of rooms) {
      if (until > now) return
      rooms.delete(name)
    }
  }

  return {
    add (name, move) {
      sweep()
      rooms.delete(name)
      rooms.set(name, { ...move, until: performance.now() + keepMs })
    },
    find (name) {
      if (rooms.size === 0) return undefined
      sweep()
      return rooms.get(name)
    },
    forget: (name) => { if (rooms.size > 0) rooms.delete(name) }
  }
}
