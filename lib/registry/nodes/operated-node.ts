import { readEntry } from './node-entry.js'
import { splitMember } from './member.js'
import type { ParseRecord, RecordText } from './node-entry.js'
import type { NodeOrder, OperatedNode, OperatedRoom } from '../../../types/operations.js'

type Orders = ReadonlyMap<string, NodeOrder>

export interface Registered {
  /** `<id>|<incarnation>` */
  member: string
  text: RecordText
  parse: ParseRecord
  orders: Orders
  /** Whether the node was not heard of for a lease. */
  hasLapsed: boolean
}

/** The node as an operator sees it. */
export function toOperatedNode ({ member, text, parse, orders, hasLapsed }: Registered): OperatedNode {
  const { id, incarnation } = splitMember(member)
  let fault = ''
  const { view } = readEntry(member, text, undefined, parse, (_id, reason) => { fault = reason })
  const order = orders.get(id)
  const node: OperatedNode = { incarnation, ...view, id, state: stateOf(order, view?.draining === true) }
  if (order !== undefined) node.order = order
  if (view === undefined) Object.assign(node, { state: 'rejected', fault })
  if (hasLapsed) node.state = 'lapsed'
  return node
}

export function stateOf (order: NodeOrder | undefined, isDraining: boolean): OperatedNode['state'] {
  if (order !== undefined) return order.kind === 'cordon' ? 'cordoned' : 'draining'
  return isDraining ? 'draining' : 'serving'
}

const STATES: readonly string[] = ['assigned', 'claimed', 'released', 'moving', 'moved'] satisfies Array<OperatedRoom['state']>
const isState = (text: string): text is OperatedRoom['state'] => STATES.includes(text)

/** @param state as the store writes it */
export function toOperatedRoom (key: string, member: string, state: string): OperatedRoom {
  const { id, incarnation } = splitMember(member)
  return { key, node: id, incarnation, state: isState(state) ? state : 'released' }
}

/** All nodes by their ids, and those that an order names alone. */
export function withGone (found: ReadonlyMap<string, OperatedNode>, orders: Orders): OperatedNode[] {
  const gone = [...orders].flatMap(([id, order]) => found.has(id) ? [] : { id, state: 'gone' as const, order })
  return [...found.values(), ...gone].sort((one, other) => one.id < other.id ? -1 : 1)
}
