import type { Assignment, AssignOptions, NodeRecord, Registry, RoomKey } from '../../../types/registry.js'

let lastRoom = 0

/** A room that no test has used. */
export const newRoom = (tenant = 't1'): RoomKey => ({ tenant, room: `room-${++lastRoom}` })

export const wssUrlOf = (id: string) => `wss://${id}.example/ws/cobrowse/1`

export const nodeRecord = (id: string, more: Partial<NodeRecord> = {}): NodeRecord =>
  ({ id, wssUrl: wssUrlOf(id), ...more })

/** Assigns new rooms, all at once. */
export const assignMany = async (registry: Pick<Registry, 'assign'>, count: number, options?: AssignOptions) =>
  await Promise.all(Array.from({ length: count }, async () => await registry.assign(newRoom(), options)))

/** Ids of the nodes, each once. */
export const idsOf = (assignments: Assignment[]) => [...new Set(assignments.map(({ node }) => node.id))]

export const nodeOf = async (registry: Pick<Registry, 'assign'>, room = newRoom()) =>
  (await registry.assign(room)).node.id
