import { NoLiveNodeError, RegistrySettlingError, RegistryUnavailableError } from '../errors.js'
import { toNodeRef } from './node-record.js'
import { nameOf } from './own-assignments.js'
import type { Clock } from '../clock.js'
import type { ZooKeeperClient } from './zookeeper-client.js'
import type { Binding } from './zookeeper-binding.js'
import type { ZooKeeperLayout } from './zookeeper-layout.js'
import type { RoomState, ZooKeeperRooms } from './zookeeper-rooms.js'
import type { Sweep } from './zookeeper-sweep.js'
import type { ZooKeeperView } from './zookeeper-view.js'
import type { Chooser, ChoiceOptions } from './select.js'
import type { Assignment, RoomKey } from '../../types/registry.js'

/** Others write the same room: read anew, and try again. */
const MAX_TRIES = 12

export interface AssignerOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  sweep: Sweep
  view: ZooKeeperView
  chooser: Chooser
  clock: Clock
}

/** What a gateway asks of ZooKeeper about a room. Each answer is one transaction, ordered by the leader. */
export interface Assigner {
  assign (room: RoomKey, choice: ChoiceOptions, signal: AbortSignal): Promise<Assignment>
  /** The call ended. */
  end (room: RoomKey, signal: AbortSignal): Promise<void>
}

/** `changed` somebody wrote the room meanwhile · `gone` the node is */
type Outcome = Assignment | 'changed' | 'gone'

export function createAssigner ({ client, layout, rooms, sweep, view, chooser, clock }: AssignerOptions): Assigner {
  async function assign (room: RoomKey, choice: ChoiceOptions, signal: AbortSignal): Promise<Assignment> {
    const key = layout.roomKey(room)
    // Never started, so nothing reads the nodes.
    if (view.ageMs() === undefined) await view.refresh()
    let hasReadAnew = false
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      signal.throwIfAborted()
      const state = await rooms.read(key, { signal })
      const bound = await confirm(state, signal)
      if (bound === 'changed') continue
      if (bound !== 'gone') return bound
      const chosen = await choose(room, state, choice, signal)
      if (chosen === 'changed') continue
      if (chosen !== 'gone') return chosen
      if (hasReadAnew) throw view.isDoubtful() ? unavailable('most nodes vanished at once') : new NoLiveNodeError()
      hasReadAnew = true
      await view.refresh()
    }
    throw unavailable('the room changed again and again')
  }

  /** The node that the room is bound to, if it lives. */
  async function confirm (state: RoomState, signal: AbortSignal): Promise<Outcome> {
    const { binding } = state
    if (binding?.member === undefined) return 'gone'
    const { member } = binding
    const node = await view.nodeOf(member)
    if (node === undefined && await client.exists(layout.nodePath(member), { signal }) !== undefined) {
      throw unavailable('the record of the room\'s node cannot be read')
    }
    const outcome = await commit(state, binding, signal)
    if (outcome === 'gone' && view.isMissed(member)) throw new RegistrySettlingError()
    if (typeof outcome === 'string' || node === undefined) return outcome === 'changed' ? 'changed' : 'gone'
    return { node: toNodeRef(node), ...outcome }
  }

  async function choose (
    room: RoomKey, state: RoomState, choice: ChoiceOptions, signal: AbortSignal
  ): Promise<Outcome> {
    const endedAt = state.binding?.endedAt ?? 0
    for (const node of chooser.choose(room, choice)) {
      // Counted before the answer: a burst of calls would all propose the same node.
      chooser.count(node, 1)
      let isChosen = false
      try {
        const binding: Binding = { member: nameOf(node), state: 'assigned', claims: 0, endedAt }
        const outcome = await commit(state, binding, signal)
        if (outcome === 'changed') return 'changed'
        if (outcome === 'gone') continue
        isChosen = true
        return { node: toNodeRef(node), ...outcome }
      } finally {
        if (!isChosen) chooser.count(node, -1)
      }
    }
    return 'gone'
  }

  /** Binds the room, or prolongs the binding: whatever is not claimed lingers from its last writing. */
  async function commit (
    state: RoomState, binding: Binding, signal: AbortSignal
  ): Promise<Omit<Assignment, 'node'> | 'changed' | 'gone'> {
    if (binding.member === undefined) return 'gone'
    const isClaimed = binding.state === 'claimed'
    const { ops, text } = isClaimed ? { ops: rooms.check(state), text: '' } : rooms.write(state, binding)
    signal.throwIfAborted()
    const issuedAt = Math.floor(clock.wall())
    const failure = await client.multi([{ type: 'check', path: layout.nodePath(binding.member) }, ...ops], { signal })
    if (failure !== undefined) return failure.index === 0 ? 'gone' : 'changed'
    if (!isClaimed) sweep.note(state.key, text, binding)
    return { issuedAt, joinOnly: false }
  }

  async function end (room: RoomKey, signal: AbortSignal): Promise<void> {
    const key = layout.roomKey(room)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const state = await rooms.read(key, { signal })
      const { member, claims = 0 } = state.binding ?? {}
      const binding: Binding = {
        member, state: member === undefined ? 'ended' : 'released', claims, endedAt: Math.floor(clock.wall())
      }
      const { ops, text } = rooms.write(state, binding)
      if (await client.multi(ops, { signal }) !== undefined) continue
      return sweep.note(key, text, binding)
    }
    throw unavailable('the room changed again and again')
  }

  return { assign, end }
}

function unavailable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new Error(reason) })
}
