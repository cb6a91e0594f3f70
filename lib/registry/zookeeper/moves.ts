import { splitMember } from '../nodes/member.js'
import { unavailable } from '../../common/unavailable.js'
import { isMove } from './binding.js'
import type { Clock } from '../../common/clock.js'
import type { Ending } from '../../common/deadline.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { Binding } from './binding.js'
import type { ZooKeeperLayout } from './layout.js'
import type { ZooKeeperRooms } from './room-records.js'
import type { Sweep } from './sweep.js'
import type { NewRoomMove, RoomMove } from '../../../types/operations.js'

/** Bounds the retries of a write that others beat to the room. */
const MAX_TRIES = 8

export interface MovesOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  sweep: Pick<Sweep, 'note'>
  clock: Pick<Clock, 'wall'>
  /** Milliseconds by which a binding outlives the last signature. */
  lingerMs: number
}

/** Milliseconds of one call: an operator waits longer than a caller of a gateway. */
export const OPERATOR_CALL_MS = 2000

/** Moves a room, by its key, away from its node. Returns `there` if it is on the target already. */
export type MoveRoom = (key: string, move: NewRoomMove, signal: Ending) => Promise<RoomMove | 'there'>

export function createMoveRoom ({ client, layout, rooms, sweep, clock, lingerMs }: MovesOptions): MoveRoom {
  /** @returns undefined if another client wrote the room first */
  async function tryToMove (key: string, move: NewRoomMove, signal: Ending): Promise<RoomMove | 'there' | undefined> {
    const { to: target } = move
    const room = await rooms.read(key, { signal, ms: OPERATOR_CALL_MS })
    const { binding } = room
    if (binding?.member === undefined) return { outcome: 'unbound' }
    const { id: from } = splitMember(binding.member)
    if (from === target) return 'there'
    const isAlive = await client.exists(layout.nodePath(binding.member), { signal, ms: OPERATOR_CALL_MS }) !== undefined
    const outcome = isAlive && mayBeOpen(binding) ? 'moving' : 'moved'
    const movedAt = isMove(binding) ? binding.claims : Math.floor(clock.wall())
    const moved: Binding = { member: binding.member, state: outcome, claims: movedAt, endedAt: binding.endedAt, target }
    const { ops, text } = rooms.write(room, moved, { event: 'moved', node: from, why: move })
    if (await client.multi(ops, { signal, ms: OPERATOR_CALL_MS }) !== undefined) return undefined
    sweep.note(key, text, moved)
    return { outcome, from }
  }

  /** Whether the node may have the room open: it claimed the room, or may not have heard of the end of a call. */
  function mayBeOpen ({ state, endedAt }: Binding): boolean {
    if (state === 'claimed' || state === 'moving') return true
    return state === 'released' && clock.wall() - endedAt <= lingerMs + client.sessionTimeout()
  }

  return async (key, move, signal) => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const moved = await tryToMove(key, move, signal)
      if (moved !== undefined) return moved
    }
    throw unavailable('the room kept changing')
  }
}
