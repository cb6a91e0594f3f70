import { throwIfOver } from '../../common/deadline.js'
import { RegistrySettlingError } from '../../errors.js'
import { toNodeRef } from '../../common/node-ref.js'
import { memberOf, splitMember } from '../nodes/member.js'
import { MAX_CANDIDATES } from '../nodes/chooser.js'
import { unanswerable } from '../../common/unavailable.js'
import { isMove } from './binding.js'
import { OPERATOR_CALL_MS } from './moves.js'
import type { Clock } from '../../common/clock.js'
import type { Ending } from '../../common/deadline.js'
import type { ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { Chooser, ChoiceOptions } from '../nodes/chooser.js'
import type { Binding } from './binding.js'
import type { Commit } from './commits.js'
import type { NewRoomEvent } from './history.js'
import type { ZooKeeperLayout } from './layout.js'
import type { MoveTimes } from './move-times.js'
import type { OrderedIds } from './orders.js'
import type { RoomState, ZooKeeperRooms } from './room-records.js'
import type { Sweep } from './sweep.js'
import type { ZooKeeperView } from './view.js'
import type { Assignment, NodeView, RoomKey } from '../../../types/registry.js'

/** Bounds the retries of a write that others beat to the room. */
const MAX_TRIES = 12
/** Of more rooms than this, those met so far are forgotten, which costs one reading each. */
const MAX_CLAIMED = 10_000

export interface AssignerOptions {
  client: ZooKeeperClient
  commit: Commit
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  sweep: Sweep
  orders: OrderedIds
  view: ZooKeeperView
  chooser: Chooser
  clock: Clock
  moves: MoveTimes
  keepsHistory: boolean
}

/** Assigns and ends rooms by way of ZooKeeper. Each answer is part of a transaction, ordered by the leader. */
export interface Assigner {
  assign (room: RoomKey, choice: ChoiceOptions, ending: Ending): Promise<Assignment>
  /** Ends the call of a room. */
  end (room: RoomKey, ending: Ending): Promise<void>
  /** Begins without what was read in an earlier session. */
  forget (): void
}

/** `changed` another client wrote the room first · `gone` the node is gone */
type Outcome = Assignment | 'changed' | 'gone'

export function createAssigner (options: AssignerOptions): Assigner {
  const { client, commit, layout, rooms, sweep, orders, view, chooser, clock, moves, keepsHistory } = options
  /** Rooms as they were read. The transaction checks that they are still the same, so they can be of any age. */
  const claimed = new Map<string, RoomState>()

  async function assign (room: RoomKey, choice: ChoiceOptions, ending: Ending): Promise<Assignment> {
    const key = layout.roomKey(room)
    const known = await confirmClaimed(key, ending)
    if (known !== undefined) return known
    // Without a `start` no timer reads the nodes.
    if (view.ageMs() === undefined) await view.refresh()
    const startedAt = Math.floor(clock.wall())
    let firstText: string | undefined
    let hasReadAnew = false
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      throwIfOver(ending)
      const state = await rooms.read(key, { signal: ending })
      if (tries === 0) firstText = state.text
      // Of many simultaneous requests only one writes: the others find a binding that is younger than the request.
      const bound = await confirm(state, state.text === firstText ? undefined : startedAt, ending)
      if (bound === 'changed') continue
      if (bound !== 'gone') return bound
      const chosen = await choose(room, state, choice, ending)
      if (chosen === 'changed') continue
      if (chosen !== 'gone') return chosen
      if (hasReadAnew) throw view.isDoubtful() ? unanswerable('nodes vanished together or unobserved') : chooser.noNode(choice)
      hasReadAnew = true
      await view.refresh()
    }
    throw unanswerable('the room kept changing')
  }

  /** The node of a room that was claimed when it was read, if nothing changed since. */
  async function confirmClaimed (key: string, ending: Ending): Promise<Assignment | undefined> {
    const state = claimed.get(key)
    const member = state?.binding?.member
    if (state === undefined || member === undefined) return undefined
    const node = await view.nodeOf(member)
    if (node !== undefined) {
      const outcome = await prove(member, rooms.check(state), ending)
      if (typeof outcome === 'object') return { node: toNodeRef(node), ...outcome }
    }
    claimed.delete(key)
    return undefined
  }

  function noteClaimed (state: RoomState): void {
    if (claimed.size >= MAX_CLAIMED) claimed.clear()
    claimed.set(state.key, state)
  }

  /**
   * The node that the room is bound to, if the node is alive.
   *
   * @param writtenAfter moment after which the room was written, if it was written during this assignment
   */
  async function confirm (state: RoomState, writtenAfter: number | undefined, ending: Ending): Promise<Outcome> {
    const { binding } = state
    if (binding?.member === undefined) return 'gone'
    const { member } = binding
    if (isMove(binding)) return await leaveNode(state, member, binding, ending)
    const node = await view.nodeOf(member)
    if (node === undefined && await client.exists(layout.nodePath(member), { signal: ending }) !== undefined) {
      throw unanswerable('the record of the room\'s node cannot be read')
    }
    const isFresh = writtenAfter !== undefined
    const outcome = isFresh || binding.state === 'claimed'
      ? await prove(member, rooms.check(state), ending, writtenAfter)
      : await write(state, { member, state: binding.state, claims: binding.claims, endedAt: binding.endedAt }, ending)
    if (outcome === 'gone') await assertDead(member)
    if (typeof outcome === 'string' || node === undefined) return outcome === 'changed' ? 'changed' : 'gone'
    if (binding.state === 'claimed') noteClaimed(state)
    return { node: toNodeRef(node), ...outcome }
  }

  /**
   * @returns `gone` if the node of a room that moves is dead or has given the room up; a node that never says so has
   *   the room until its earlier signatures have expired
   * @throws RegistrySettlingError otherwise
   */
  async function leaveNode (
    room: RoomState, member: string, binding: Binding, ending: Ending
  ): Promise<'changed' | 'gone'> {
    if (!moves.isWaiting(binding)) return 'gone'
    const outcome = await prove(member, rooms.check(room), ending)
    if (typeof outcome === 'object') throw new RegistrySettlingError()
    if (outcome === 'gone') await assertDead(member)
    return outcome
  }

  /** @throws RegistrySettlingError for a node that may be the first of many that vanish */
  async function assertDead (member: string): Promise<void> {
    if (view.has(member)) await view.refresh()
    if (view.isMissed(member)) throw new RegistrySettlingError()
  }

  /** The candidates; of a room that moves, without the node that it leaves, and with its target first. */
  function candidatesFor (room: RoomKey, { binding }: RoomState, choice: ChoiceOptions): NodeView[] {
    const candidates = chooser.choose(room, choice)
    if (binding?.member === undefined || !moves.leavesOut(binding)) return candidates
    const { id: left } = splitMember(binding.member)
    const { accepts = () => true } = choice
    const targets = view.nodes().filter((node) => node.id === binding.target && !node.draining && accepts(node))
    return [...targets, ...candidates.filter(({ id }) => id !== left && id !== binding.target)]
  }

  function tellChoice ({ binding }: RoomState, candidates: NodeView[], choice: ChoiceOptions): NewRoomEvent {
    const told: NewRoomEvent = {
      event: 'chosen',
      choice: chooser.describe(candidates.slice(0, MAX_CANDIDATES), choice)
    }
    if (binding?.member === undefined) return told
    return Object.assign(told, {
      instead: { node: splitMember(binding.member).id, why: isMove(binding) ? 'moved' as const : 'died' as const }
    })
  }

  async function choose (
    room: RoomKey, state: RoomState, choice: ChoiceOptions, ending: Ending
  ): Promise<Outcome> {
    const endedAt = state.binding?.endedAt ?? 0
    const candidates = candidatesFor(room, state, choice)
    const told = keepsHistory ? tellChoice(state, candidates, choice) : undefined
    for (const [dead, node] of candidates.entries()) {
      // Count before the answer: otherwise a burst of requests would propose the same node.
      chooser.count(node, 1)
      let isChosen = false
      try {
        const binding = { member: memberOf(node), state: 'assigned' as const, claims: 0, endedAt }
        if (orders.has(node.id)) continue
        const event = told && Object.assign({}, told, { node: node.id, dead })
        const outcome = await write(state, binding, ending, { event, checks: orders.check() })
        if (outcome === 'changed') {
          // The room changed, or an order.
          await orders.refresh({ signal: ending })
          return 'changed'
        }
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
  async function write (
    state: RoomState, binding: Binding & { member: string }, ending: Ending,
    { event, checks = [] }: { event?: NewRoomEvent | undefined, checks?: ZooKeeperOp[] } = {}
  ) {
    const { ops, text } = rooms.write(state, binding, event)
    const outcome = await prove(binding.member, [...checks, ...ops], ending)
    if (typeof outcome === 'object') sweep.note(state.key, text, binding)
    return outcome
  }

  /** Runs the operations if the node is alive. `issuedAt` is never later than the store's step. */
  async function prove (
    member: string, ops: ZooKeeperOp[], ending: Ending, issuedAt = Math.floor(clock.wall())
  ): Promise<Omit<Assignment, 'node'> | 'changed' | 'gone'> {
    const outcome = await commit(member, ops, ending)
    return outcome === 'done' ? { issuedAt, joinOnly: false } : outcome
  }

  async function end (room: RoomKey, ending: Ending): Promise<void> {
    const key = layout.roomKey(room)
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const state = await rooms.read(key, { signal: ending, ms: OPERATOR_CALL_MS })
      const binding = endOf(state.binding, Math.floor(clock.wall()))
      const { member } = binding
      const { ops, text } = member === undefined
        ? rooms.write(state, binding)
        : rooms.write(state, binding, { event: 'ended', node: splitMember(member).id })
      if (await client.multi(ops, { signal: ending, ms: OPERATOR_CALL_MS }) !== undefined) continue
      return sweep.note(key, text, binding)
    }
    throw unanswerable('the room kept changing')
  }

  return { assign, end, forget: () => claimed.clear() }
}

/** The binding after an end of the call. A room that moves keeps waiting for its node. */
function endOf (binding: Binding | undefined, endedAt: number): Binding {
  const { member, claims = 0 } = binding ?? {}
  if (binding !== undefined && isMove(binding)) return Object.assign({}, binding, { endedAt })
  return { member, state: member === undefined ? 'ended' : 'released', claims, endedAt }
}
