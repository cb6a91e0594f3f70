import type { RoomKey } from '../../../types/registry.js'

/** A room that this node claimed. */
export interface HeldRoom {
  readonly room: RoomKey
  /** Number of the latest claim. */
  readonly number: number
  /** Milliseconds, by the store's clock. */
  openedAt: number
  /** Whether the lease lapsed since: no normal signature is accepted before the room is claimed again. */
  isShut: boolean
}

/** The rooms that a node claimed, until they are released or lost, by their keys in the store. */
export interface HeldRooms {
  readonly size: number
  get (key: string): HeldRoom | undefined
  /** Opens the door, since a claim was granted at this moment. A room that is held already keeps its `openedAt`. */
  open (key: string, room: RoomKey, number: number, at: number): void
  remove (key: string): HeldRoom | undefined
  /** Moves a room that was just claimed to the end of the keys. */
  putLast (key: string): void
  /** Replaces dates after `limit`, since the store's clock was set back. */
  redate (limit: number, date: number): void
  /** Shuts all doors, since the lease lapsed. */
  shutAll (): void
  shutKeys (): string[]
  openKeys (): string[]
}

export function createHeldRooms (): HeldRooms {
  const rooms = new Map<string, HeldRoom>()
  const keysWhere = (isShut: boolean) => [...rooms].flatMap(([key, held]) => held.isShut === isShut ? key : [])
  return {
    get size () {
      return rooms.size
    },
    get: (key) => rooms.get(key),
    open (key, room, number, at) {
      const held = rooms.get(key)
      rooms.set(key, {
        room, number: Math.max(number, held?.number ?? 0), openedAt: held?.openedAt ?? at, isShut: false
      })
    },
    remove (key) {
      const held = rooms.get(key)
      rooms.delete(key)
      return held
    },
    putLast (key) {
      const held = rooms.get(key)
      if (held === undefined) return
      rooms.delete(key)
      rooms.set(key, held)
    },
    redate (limit, date) {
      for (const held of rooms.values()) if (held.openedAt > limit) held.openedAt = date
    },
    shutAll () {
      for (const held of rooms.values()) held.isShut = true
    },
    shutKeys: () => keysWhere(true),
    openKeys: () => keysWhere(false)
  }
}
