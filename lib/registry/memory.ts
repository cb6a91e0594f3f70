import { Type } from '@sinclair/typebox'
import { takesDeadline } from '../common/adapter-call.js'
import { createAdapterState } from '../common/adapter-state.js'
import { checkOptions } from '../common/check-options.js'
import { throwIfOver } from '../common/deadline.js'
import { createEmitter } from '../common/emitter.js'
import { createBindings } from './memory/bindings.js'
import { toNodeRef } from '../common/node-ref.js'
import { checkNodeRecord, newIncarnation, toDraining, toNodeView } from './nodes/node-record.js'
import { createHistories, NO_HISTORIES } from './memory/history.js'
import { createMovedRooms } from './memory/moved-rooms.js'
import { createMemoryOperations } from './memory/operations.js'
import { createEndedRooms } from './membership/ended-rooms.js'
import { roomName } from '../common/room-name.js'
import { createChooser } from './nodes/chooser.js'
import { unanswerable, unavailable } from '../common/unavailable.js'
import type { CallOptions } from '../common/adapter-call.js'
import type { ChoiceOptions } from './nodes/chooser.js'
import type { StoredEvent } from './nodes/room-history.js'
import type { MemoryNode } from './memory/operations.js'
import type { NodeOrder } from '../../types/operations.js'
import type {
  Assignment, Membership, MembershipEvents, MemoryRegistryOptions, NodeRecord, NodeView, Registry, RoomKey
} from '../../types/registry.js'

const Options = Type.Object({
  nodes: Type.Optional(Type.Array(Type.Unknown(), { description: 'a list of node records' })),
  linger: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1, in seconds' })),
  history: Type.Optional(Type.Boolean({ description: 'true or false' }))
}, { additionalProperties: false })

/** Registry of the nodes of one process: the embedded default, and the reference for the other registries. */
export function memoryRegistry (options: MemoryRegistryOptions = {}): Registry {
  checkOptions('memoryRegistry', Options, options)
  const { nodes: records = [], linger = 20, history: keepsHistory = true } = options
  const members = new Map<string, MemoryNode>()
  const orders = new Map<string, NodeOrder>()
  const ended = createEndedRooms()
  /** Rooms that an operator moved, by their names, until they are bound again or earlier signatures have expired. */
  const moved = createMovedRooms(linger * 1000)
  const histories = keepsHistory ? createHistories() : NO_HISTORIES
  const chooser = createChooser()
  const bindings = createBindings(linger * 1000, ({ view: { capacity = Infinity, rooms } }, before) => {
    if ((rooms < capacity) !== (before < capacity)) showNodes()
  })
  for (const [at, record] of records.entries()) addStatic(at, record)
  showNodes()

  const state = createAdapterState({
    open: () => state.set('up'),
    end () {
      for (const { leave } of members.values()) leave?.()
    }
  })
  state.set('up')

  function addStatic (at: number, record: NodeRecord): void {
    try {
      const view = toNodeView(checkNodeRecord(record?.id, record), newIncarnation())
      if (members.has(view.id)) throw new TypeError('node record: "id" is already that of an earlier record')
      members.set(view.id, { view, gone: false })
    } catch (cause) {
      // checkNodeRecord throws nothing but a TypeError.
      const { message } = cause as TypeError
      throw new TypeError(`"nodes.${at}" option of memoryRegistry: ${message}`, { cause })
    }
  }

  function showNodes (): void {
    chooser.update([...members.values()].map(shown))
  }

  // Not a copy: its number of rooms changes with every room.
  function shown ({ view }: MemoryNode): NodeView {
    return orders.has(view.id) ? toDraining(view) : view
  }

  /** A room that an operator moved gets its target, or another node than the one that it left. */
  function choose (room: RoomKey, name: string, options: ChoiceOptions): NodeView | undefined {
    const move = moved.find(name)
    const target = move?.to === undefined ? undefined : members.get(move.to)
    if (target !== undefined && !shown(target).draining && options.accepts?.(target.view) !== false) return target.view
    return chooser.choose(room, options).find(({ id }) => id !== move?.member.view.id)
  }

  function tellChoice (name: string, chosen: NodeView, options: ChoiceOptions): Omit<StoredEvent, 'at'> {
    const choice = chooser.describe([chosen], options)
    const [latest] = histories.of(name)
    const told = { event: 'chosen' as const, node: chosen.id, choice }
    if (latest?.node === undefined) return told
    if (latest.event === 'moved') return { ...told, instead: { node: latest.node, why: 'moved' } }
    const isDead = (latest.event === 'chosen' || latest.event === 'claimed') && !members.has(latest.node)
    return isDead ? { ...told, instead: { node: latest.node, why: 'died' } } : told
  }

  /** Ignores an end in the future, which was dated before the clock was set back. */
  function endOf (name: string): number | undefined {
    const at = ended.at(name)
    return Number(at) > Date.now() + linger * 1000 ? undefined : at
  }

  function assertOpen (): void {
    if (state.isClosed) throw unavailable('the registry is closed')
  }

  function register (record: NodeRecord): Membership {
    const view = toNodeView({ ...record, rooms: 0 }, newIncarnation())
    const events = createEmitter<MembershipEvents>()
    const member: MemoryNode = {
      view,
      gone: false,
      leave,
      end: (room) => events.emit('ended', { ...room }),
      order: (order) => events.emit('ordered', order)
    }

    function leave (event?: 'replaced'): void {
      if (member.gone) return
      member.gone = true
      members.delete(view.id)
      bindings.drop(member)
      showNodes()
      if (event !== undefined) events.emit(event)
    }

    members.get(view.id)?.leave?.('replaced')
    members.set(view.id, member)
    showNodes()

    function setDraining (isDraining: boolean): void {
      view.draining = isDraining
      if (!member.gone) showNodes()
    }

    return {
      id: view.id,
      incarnation: view.incarnation,
      get order () {
        return orders.get(view.id)
      },
      valid: () => !member.gone,
      now: Date.now,
      async claim (room, { signal, issuedAt = Infinity } = {}) {
        signal?.throwIfAborted()
        if (member.gone) return 'lapsed'
        const name = roomName(room)
        if (issuedAt * 1000 <= (endOf(name) ?? 0) || moved.find(name)?.member === member) return 'ended'
        const holder = bindings.find(name)
        if (holder !== undefined && holder !== member) return 'elsewhere'
        if (!bindings.isClaimedBy(name, member)) histories.add(name, { event: 'claimed', node: view.id })
        bindings.claim(name, member)
        return 'ok'
      },
      holds: (room) => !member.gone && bindings.isClaimedBy(roomName(room), member),
      endedAt: (room) => endOf(roomName(room)),
      async release (room) {
        const name = roomName(room)
        if (!bindings.isClaimedBy(name, member)) return
        bindings.bind(name, member, room.tenant)
        histories.add(name, { event: 'released', node: view.id })
      },
      drain: async () => setDraining(true),
      undrain: async () => setDraining(false),
      leave: async () => leave(),
      on: events.on
    }
  }

  const operations = createMemoryOperations({ members, orders, bindings, moved, histories, endOf, showNodes })

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    linger,
    assign: takesDeadline(async (room: RoomKey, options: CallOptions & ChoiceOptions = {}): Promise<Assignment> => {
      throwIfOver(options.signal)
      assertOpen()
      const name = roomName(room)
      const holder = bindings.find(name)
      if (holder !== undefined) {
        bindings.prolong(name)
        return { node: toNodeRef(holder.view), issuedAt: Date.now(), joinOnly: false }
      }
      const chosen = choose(room, name, options)
      const member = chosen && members.get(chosen.id)
      if (member === undefined) throw chooser.noNode(options)
      if (!bindings.mayBind(room.tenant)) throw unanswerable('more new rooms than the memory registry holds')
      bindings.bind(name, member, room.tenant)
      if (keepsHistory) histories.add(name, tellChoice(name, member.view, options))
      moved.forget(name)
      return { node: toNodeRef(member.view), issuedAt: Date.now(), joinOnly: false }
    }),
    end: takesDeadline(async (room: RoomKey, options: CallOptions = {}) => {
      throwIfOver(options.signal)
      assertOpen()
      const name = roomName(room)
      const holder = bindings.find(name)
      const member = holder && members.get(holder.view.id)
      if (member === undefined) return
      ended.forget(Date.now() - linger * 1000)
      ended.add(name, Date.now())
      histories.add(name, { event: 'ended', node: member.view.id })
      const wasClaimed = bindings.isClaimedBy(name, member)
      bindings.bind(name, member, room.tenant)
      if (wasClaimed) member.end?.(room)
    }),
    operations,
    nodes () {
      bindings.sweep()
      return [...members.values()].map((entry) => ({ ...shown(entry) }))
    },
    async join (record) {
      const checked = checkNodeRecord(record?.id, record)
      if (members.has(checked.id) && members.get(checked.id)?.leave === undefined) {
        throw new TypeError('node record: "id" is already that of a node in the "nodes" option')
      }
      assertOpen()
      return register(checked)
    }
  }
}
