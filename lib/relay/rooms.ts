import { createRelayRoom } from './room.js'
import type { RelayRoom, RoomClient } from './room.js'
import type { RoomKey } from '../../types/registry.js'

/** The rooms of a node that have a client. */
export interface RelayRooms<C extends RoomClient> {
  all (): Iterable<RelayRoom<C> & RoomKey>
  /** Adds a client to its room. */
  enter (key: RoomKey, client: C): Stay
}

/** A client in its room. */
export interface Stay {
  /** Passes a message of the client on. */
  pass (data: Buffer): void
  /** Idempotent. */
  leave (): void
}

/** @param takeover as in `createRelayRoom` */
export function createRelayRooms<C extends RoomClient> (takeover: boolean): RelayRooms<C> {
  const rooms = new Map<string, RelayRoom<C> & RoomKey>()

  return {
    all: () => rooms.values(),
    enter ({ tenant, room: name }, client) {
      const key = JSON.stringify([tenant, name])
      const room = rooms.get(key) ?? Object.assign(createRelayRoom<C>(takeover), { tenant, room: name })
      rooms.set(key, room)
      room.add(client)
      return {
        pass: (data) => room.pass(client, data),
        leave () {
          room.remove(client)
          if (room.size === 0 && rooms.get(key) === room) rooms.delete(key)
        }
      }
    }
  }
}
