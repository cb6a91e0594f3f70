import { toNodeRef } from '../common/node-ref.js'
import { roomName } from '../common/room-name.js'
import { createTenantCache } from '../common/tenant-cache.js'
import type { Assignment, NodeView, RoomKey } from '../../types/registry.js'

const MAX_ROOMS = 20_000

/** The rooms that this gateway has answered for, so that it can bring a page back to its room without the store. */
export interface KnownRooms {
  /** The store answered just now: the gateway knows its clock from that. Means nothing of a join-only assignment. */
  heard (assignment: Assignment): void
  /** The room was answered for. Means nothing of a join-only assignment. */
  remember (room: RoomKey, assignment: Assignment): void
  forget (room: RoomKey): void
  /** What can be said of the room without the store; nothing of one that was not remembered, or can be no more. */
  recall (room: RoomKey): Assignment | undefined
  /** Whether rooms can be recalled at all. */
  canRecall (): boolean
}

export interface KnownRoomsOptions {
  /** Seconds for which the last view may stand in for the store; 0 never. */
  joinOnlyFor: number
  /** The nodes as last seen. */
  nodes (): readonly NodeView[]
  /** Of what `nodes` says; `undefined` where the registry keeps no view that could grow old. */
  viewAgeMs (): number | undefined
  /** Milliseconds on a clock that only grows. */
  now (): number
}

export function createKnownRooms ({ joinOnlyFor, nodes, viewAgeMs, now }: KnownRoomsOptions): KnownRooms {
  /** Room to node id: by the time it matters the node may have another incarnation, or another address. */
  const nodeIds = createTenantCache<string>(MAX_ROOMS)
  let storeClock: number | undefined

  const isUsable = () => joinOnlyFor > 0 && (viewAgeMs() ?? 0) <= joinOnlyFor * 1000

  return {
    heard ({ issuedAt, joinOnly }) {
      if (!joinOnly) storeClock = issuedAt - now()
    },
    remember (room, { node, joinOnly }) {
      if (!joinOnly) nodeIds.set(room.tenant, roomName(room), node.id)
    },
    forget (room) {
      nodeIds.delete(roomName(room))
    },
    recall (room) {
      const id = nodeIds.get(roomName(room))
      if (id === undefined || storeClock === undefined || !isUsable()) return undefined
      // A process that was restarted may still have its old registration beside the new one, which is listed later.
      const view = nodes().findLast((node) => node.id === id)
      return view && { node: toNodeRef(view), issuedAt: Math.floor(storeClock + now()), joinOnly: true }
    },
    canRecall: () => storeClock !== undefined && isUsable()
  }
}
