import { UnreadableBindingError } from '../../common/unavailable.js'
import type { RoomEnd } from '../membership/node-store.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { ZooKeeperRooms } from './room-records.js'

export interface MovedRoomsOptions {
  client: ZooKeeperClient
  rooms: ZooKeeperRooms
  callMs (): number
}

/** The rooms of a node that an operator moves away from it. */
export interface MovedRooms {
  /** Notes a room that was read, and moves. */
  note (key: string): void
  /** Writes that the node has given up the rooms that move, since it closed them. Later calls try failed ones again. */
  giveUp (member: string, closed: readonly RoomEnd[]): Promise<void>
}

export function createMovedRooms ({ client, rooms, callMs }: MovedRoomsOptions): MovedRooms {
  const moving = new Set<string>()
  const closed = new Set<string>()

  async function write (member: string, key: string): Promise<void> {
    const room = await rooms.read(key, { ms: callMs() })
    const { binding } = room
    if (binding?.member === member && binding.state === 'moving') {
      const { ops } = rooms.write(room, Object.assign({}, binding, { state: 'moved' as const }))
      if (await client.multi(ops, { ms: callMs() }) !== undefined) return
    }
    closed.delete(key)
  }

  return {
    note: (key) => { moving.add(key) },
    async giveUp (member, ends) {
      for (const { key } of ends) if (moving.delete(key)) closed.add(key)
      await Promise.all([...closed].map(async (key) => {
        await write(member, key).catch((error: unknown) => {
          if (error instanceof UnreadableBindingError) closed.delete(key)
        })
      }))
    }
  }
}
