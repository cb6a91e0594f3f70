import { hash } from 'node:crypto'
import { roomName } from '../../common/room-name.js'
import { toExplanation } from '../nodes/explanation.js'
import { checkOrder, checkOrderedId } from '../nodes/node-order.js'
import { stateOf, withGone } from '../nodes/operated-node.js'
import { assertMovable, checkMove } from '../nodes/room-move.js'
import type { Bindings, Member } from './bindings.js'
import type { RoomHistories } from './history.js'
import type { MovedRooms } from './moved-rooms.js'
import type { NodeOrder, OperatedRoom, RegistryOperations, RoomExplanation } from '../../../types/operations.js'
import type { RoomKey } from '../../../types/registry.js'

/** A node of the memory registry. */
export interface MemoryNode extends Member {
  /** Left out for a node of the `nodes` option. */
  leave?: (event?: 'replaced') => void
  /** Called when the call of a claimed room ended. */
  end?: (room: RoomKey) => void
  /** Called when the order for the node changed. */
  order?: (order: NodeOrder | undefined) => void
}

export interface MemoryOperationsOptions {
  members: ReadonlyMap<string, MemoryNode>
  orders: Map<string, NodeOrder>
  bindings: Bindings
  moved: MovedRooms
  histories: RoomHistories
  endOf (name: string): number | undefined
  showNodes (): void
}

export function createMemoryOperations (options: MemoryOperationsOptions): RegistryOperations {
  const { members, orders, bindings, moved, histories, endOf, showNodes } = options

  function bindingOf (name: string): RoomExplanation['binding'] {
    const holder = bindings.find(name)
    if (holder !== undefined) return toBinding(name, holder, bindings.isClaimedBy(name, holder) ? 'claimed' : 'assigned')
    const move = moved.find(name)
    if (move === undefined) return undefined
    return { ...toBinding(name, move.member, 'moved'), ...move.to !== undefined && { target: move.to } }
  }

  const operations: RegistryOperations = {
    async orders () {
      return new Map(orders)
    },
    async explain (room, { history: tellsHistory = true } = {}) {
      const name = roomName(room)
      return toExplanation({
        key: keyOf(name),
        binding: bindingOf(name),
        endedAt: endOf(name) ?? 0,
        settlingMs: 0,
        nodes: await operations.nodes(),
        history: tellsHistory ? [...histories.of(name)] : []
      })
    },
    async nodes () {
      bindings.sweep()
      const found = [...members.values()].map(({ view }) => {
        const order = orders.get(view.id)
        return [view.id, { ...view, state: stateOf(order, view.draining), ...order && { order } }] as const
      })
      return withGone(new Map(found), orders)
    },
    async * rooms ({ node } = {}) {
      for (const { name, member, isClaimed } of bindings.all()) {
        if (node === undefined || member.view.id === node) yield toRoom(name, member, isClaimed ? 'claimed' : 'assigned')
      }
    },
    async setOrder (id, order) {
      checkOrderedId(id)
      if (order === null) orders.delete(id)
      else orders.set(id, { at: Date.now(), ...checkOrder(id, order) })
      showNodes()
      members.get(id)?.order?.(orders.get(id))
    },
    async move (room, move) {
      const { to } = checkMove(move)
      assertMovable(await operations.explain(room), move)
      const name = roomName(room)
      const before = bindings.find(name) ?? moved.find(name)?.member
      const member = before && members.get(before.view.id)
      if (member === undefined) return { outcome: 'unbound' }
      if (member.leave === undefined) throw new TypeError('a node of the "nodes" option cannot be told to give up a room')
      const wasClaimed = bindings.isClaimedBy(name, member)
      bindings.unbind(name)
      moved.add(name, { member, to })
      histories.add(name, { event: 'moved', node: member.view.id, why: move })
      // The node gives the room up in this very step.
      if (wasClaimed) member.end?.(room)
      return { outcome: 'moved', from: member.view.id }
    }
  }
  return operations
}

const keyOf = (name: string) => hash('sha256', name, 'base64url')

function toRoom (name: string, { view: { id, incarnation } }: Member, state: OperatedRoom['state']): OperatedRoom {
  return { key: keyOf(name), node: id, incarnation, state }
}

function toBinding (
  name: string, member: Member, state: OperatedRoom['state']
): NonNullable<RoomExplanation['binding']> {
  return Object.assign(toRoom(name, member, state), { claims: 0, isAlive: !member.gone })
}
