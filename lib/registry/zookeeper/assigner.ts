import { NoLiveNodeError, RegistrySettlingError } from '../../errors.js'
import { toNodeRef } from '../../common/node-ref.js'
import { memberOf } from '../nodes/member.js'
import { unanswerable } from '../../common/unavailable.js'
import type { Clock } from '../../common/clock.js'
import type { ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { Chooser, ChoiceOptions } from '../nodes/chooser.js'
import type { Binding } from './binding.js'
import type { ZooKeeperLayout } from './layout.js'
import type { RoomState, ZooKeeperRooms } from './room-records.js'
import type { Sweep } from './sweep.js'
import type { ZooKeeperView } from './view.js'
import type { Assignment, RoomKey } from '../../../types/registry.js'

/** Bounds the retries of a write that others beat to the room. */
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

/** Assigns and ends rooms by way of ZooKeeper. Each answer is one transaction, ordered by the leader. */
export interface Assigner {
  assign (room: RoomKey, choice: ChoiceOptions, signal: AbortSignal): Promise<Assignment>
  /** Ends the call of a room. */
  end (room: RoomKey, signal: AbortSignal): Promise<void>
}

/** `changed` another client wrote the room first · `gone` the node is gone */
type Outcome = Assignment | 'changed' | 'gone'

export function createAssigner ({ client, layout, rooms, sweep, view, chooser, clock }: AssignerOptions): Assigner {
  async function assign (room: RoomKey, choice: ChoiceOptions, signal: AbortSignal): Promise<Assignment> {
    const key = layout.roomKey(room)
    // Without a `start` no timer reads the nodes.
    if (view.ageMs() === undefined) await view.refresh()
    const startedAt = Math.floor(clock.wall())
    let firstText: string | undefined
    let hasReadAnew = false
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      signal.throwIfAborted()
      const state = await rooms.read(key, { signal })
      if (tries === 0) firstText = state.text
      // Of many simultaneous requests only one writes: the others find a binding that is younger than the request.
      const bound = await confirm(state, state.text === firstText ? undefined : startedAt, signal)
      if (bound === 'changed') continue
      if (bound !== 'gone') return bound
      const chosen = await choose(room, state, choice, signal)
      if (chosen === 'changed') continue
      if (chosen !== 'gone') return chosen
      if (hasReadAnew) throw view.isDoubtful() ? unanswerable('nodes vanished together or unobserved') : new NoLiveNodeError()
      hasReadAnew = true
      await view.refresh()
    }
    throw unanswerable('the room kept changing')
  }

  /**
   * The node that the room is bound to, if the node is alive.
   *
   * @param writtenAfter moment after which the room was written, if it was written during this assignment
   */
  async function confirm (state: RoomState, writtenAfter: number | undefined, signal: AbortSignal): Promise<Outcome> {
    const { binding } = state
    if (binding?.member === undefined) return 'gone'
    const { member } = binding
    const node = await view.nodeOf(member)
    if (node === undefined && await client.exists(layout.nodePath(member), { signal }) !== undefined) {
      throw unanswerable('the record of the room\'s node cannot be read')
    }
    const isFresh = writtenAfter !== undefined
    const outcome = isFresh || binding.state === 'claimed'
      ? await commit(binding.member, rooms.check(state), signal, writtenAfter)
      : await write(state, { member, state: binding.state, claims: binding.claims, endedAt: binding.endedAt }, signal)
    if (outcome === 'gone') {
      // The node may be the first of many that vanish.
      if (view.has(member)) await view.refresh()
      if (view.isMissed(member)) throw new RegistrySettlingError()
    }
    if (typeof outcome === 'string' || node === undefined) return outcome === 'changed' ? 'changed' : 'gone'
    return { node: toNodeRef(node), ...outcome }
  }

  async function choose (
    room: RoomKey, state: RoomState, choice: ChoiceOptions, signal: AbortSignal
  ): Promise<Outcome> {
    const endedAt = state.binding?.endedAt ?? 0
    for (const node of chooser.choose(room, choice)) {
      // Count before the answer: otherwise a burst of requests would propose the same node.
      chooser.count(node, 1)
      let isChosen = false
      try {
        const binding = { member: memberOf(node), state: 'assigned' as const, claims: 0, endedAt }
        const outcome = await write(state, binding, signal)
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

  /** Binds the room, or prolongs the binding: an unclaimed binding lingers from its last write. */
  async function write (state: RoomState, binding: Binding & { member: string }, signal: AbortSignal) {
    const { ops, text } = rooms.write(state, binding)
    const outcome = await commit(binding.member, ops, signal)
    if (typeof outcome === 'object') sweep.note(state.key, text, binding)
    return outcome
  }

  /** Runs the operations if the node is alive. `issuedAt` is never later than the store's step. */
  async function commit (
    member: string, ops: ZooKeeperOp[], signal: AbortSignal, issuedAt = Math.floor(clock.wall())
  ): Promise<Omit<Assignment, 'node'> | 'changed' | 'gone'> {
    signal.throwIfAborted()
    const failure = await client.multi([{ type: 'check', path: layout.nodePath(member) }, ...ops], { signal })
    // A node that this client may not see is not necessarily gone.
    if (failure?.name === 'NO_AUTH') throw unanswerable('ZooKeeper refuses: NO_AUTH')
    if (failure !== undefined) return failure.index === 0 ? 'gone' : 'changed'
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
    throw unanswerable('the room kept changing')
  }

  return { assign, end }
}
