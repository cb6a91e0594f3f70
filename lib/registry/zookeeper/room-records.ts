import { bucketOf, ensurePath } from './layout.js'
import { parseBinding, toText } from './binding.js'
import { UnreadableBindingError } from '../../common/unavailable.js'
import { ZooKeeperError } from '../../zookeeper-client/client.js'
import { keepNoHistory } from './history.js'
import type { AddEvent, NewRoomEvent } from './history.js'
import type { ReadOptions, ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { Binding } from './binding.js'
import type { ZooKeeperLayout } from './layout.js'

/**
 * A room as it was read. The version of a room alone does not identify its state: a room that is deleted and created
 * again restarts at version 0. Every deletion of a room writes its bucket in the same step, so both versions together
 * identify the state, and every step that relies on a room checks both.
 */
export interface RoomState {
  key: string
  bucketVersion: number
  /** Version of the znode. Left out: there is no such room. */
  version?: number
  text?: string
  binding?: Binding
}

export interface ZooKeeperRooms {
  /** Reads one room. Creates its bucket if there is none. @throws UnreadableBindingError */
  read (key: string, options?: ReadOptions): Promise<RoomState>
  /** Operations that fail if the room changed since it was read. */
  check (room: RoomState): ZooKeeperOp[]
  /** Writes the room unless it changed since it was read. The history stays, with this event on top. */
  write (room: RoomState, binding: Binding, event?: NewRoomEvent): { ops: ZooKeeperOp[], text: string }
  /** Deletes the room unless it changed since it was read. */
  remove (room: RoomState): ZooKeeperOp[]
}

export function createRooms (
  client: ZooKeeperClient, layout: ZooKeeperLayout, addEvent: AddEvent = keepNoHistory
): ZooKeeperRooms {
  const checkBucket = ({ key, bucketVersion }: RoomState): ZooKeeperOp => ({
    type: 'check', path: layout.bucketPath(bucketOf(key)), version: bucketVersion
  })

  async function read (key: string, options: ReadOptions = {}): Promise<RoomState> {
    const { watch: _watch, ...call } = options
    const bucketPath = layout.bucketPath(bucketOf(key))
    // The order matters: a deletion that only the second reading sees makes the version of the first one old.
    const [bucket, room] = await Promise.all([
      client.exists(bucketPath, call), client.get(layout.roomPath(key), options).catch(throwIfShut)
    ])
    if (bucket === undefined) {
      await ensurePath(client, bucketPath, call)
      return await read(key, options)
    }
    if (room === undefined) return { key, bucketVersion: bucket.version }
    const text = room.data.toString()
    return { key, bucketVersion: bucket.version, version: room.stat.version, text, binding: parseBinding(text) }
  }

  return {
    read,
    check (room) {
      return [checkBucket(room), { type: 'check', path: layout.roomPath(room.key), version: room.version }]
    },
    write (room, binding, event) {
      const path = layout.roomPath(room.key)
      const before = room.binding?.history
      const history = event === undefined ? before : addEvent(before, event)
      const text = toText(Object.assign({}, binding, { history }))
      const data = Buffer.from(text)
      const { version } = room
      const op: ZooKeeperOp = version === undefined
        ? { type: 'create', path, data }
        : { type: 'set', path, data, version }
      return { ops: [checkBucket(room), op], text }
    },
    remove (room) {
      const bucketPath = layout.bucketPath(bucketOf(room.key))
      return [
        { type: 'set', path: bucketPath, data: Buffer.alloc(0), version: room.bucketVersion },
        { type: 'remove', path: layout.roomPath(room.key), version: room.version }
      ]
    }
  }
}

/** Treats a room that this client may not read as an unreadable one. */
function throwIfShut (cause: unknown): never {
  throw cause instanceof ZooKeeperError && cause.code === 'NO_AUTH' ? new UnreadableBindingError({ cause }) : cause
}
