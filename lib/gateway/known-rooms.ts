import { toNodeRef } from '../common/node-ref.js'
import { createTenantCache } from '../common/tenant-cache.js'
import type { Assignment, NodeView, RoomKey } from '../../types/registry.js'

const MAX_ROOMS = 20_000

/** The rooms that this gateway has answered for, so that it can lead a page back to its room without the store. */
export interface KnownRooms {
  /** The store answered just now, which tells the gateway its clock. Ignores a join-only assignment. */
  heard (assignment: Assignment): void
  /** The room was answered for. Ignores a join-only assignment. */
  remember (room: RoomKey, assignment: Assignment): void
  has (room: RoomKey): boolean
  forget (room: RoomKey): void
  /** An assignment for the room without the store; `undefined` if the room is unknown or can no longer be recalled. */
  recall (room: RoomKey): Assignment | undefined
  /** Whether rooms can be recalled at all. */
  canRecall (): boolean
}

export interface KnownRoomsOptions {
  /** Seconds for which the last view may replace the store; 0 means never. */
  joinOnlyFor: number
  /** The nodes as last seen. */
  nodes (): readonly NodeView[]
  /** Age of `nodes`; `undefined` if the registry keeps no view that could grow old. */
  viewAgeMs (): number | undefined
  /** Milliseconds of a monotonic clock. */
  now (): number
}

export function createKnownRooms ({ joinOnlyFor, nodes, viewAgeMs, now }: KnownRoomsOptions): KnownRooms {
  /** Room to node id: at the time of a recall the node may have another incarnation, or another address. */
  const nodeIds = createTenantCache<string>(MAX_ROOMS)
  let storeClock: number | undefined

  const isUsable = () => joinOnlyFor > 0 && (viewAgeMs() ?? 0) <= joinOnlyFor * 1000

  return {
    heard ({ issuedAt, joinOnly }) {
      if (!joinOnly) storeClock = issuedAt - now()
    },
    remember ({ tenant, room }, { node, joinOnly }) {
      if (!joinOnly) nodeIds.set(tenant, room, node.id)
    },
    has: ({ tenant, room }) => nodeIds.has(tenant, room),
    forget ({ tenant, room }) {
      nodeIds.delete(tenant, room)
    },
    recall ({ tenant, room }) {
      const id = nodeIds.get(tenant, room)
      if (id === undefined || storeClock === undefined || !isUsable()) return undefined
      // A process that was restarted may still have its old registration beside the new one, which is listed later.
      const view = nodes().findLast((node) => node.id === id)
      return view && { node: toNodeRef(view), issuedAt: Math.floor(storeClock + now()), joinOnly: true }
    },
    canRecall: () => storeClock !== undefined && isUsable()
  }
}
