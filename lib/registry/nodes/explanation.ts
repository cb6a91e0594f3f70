import { toEvent } from './event-text.js'
import type { StoredEvent } from './room-history.js'
import type { OperatedNode, RoomExplanation } from '../../../types/operations.js'

type Binding = RoomExplanation['binding']

export interface RoomFacts extends Pick<RoomExplanation, 'key' | 'settlingMs'> {
  binding?: RoomExplanation['binding'] | undefined
  isUnreadable?: boolean
  /** Milliseconds, or 0. */
  endedAt: number
  nodes: OperatedNode[]
  /** Newest first. */
  history: StoredEvent[]
}

/** Says in words what the facts mean for the next caller. */
export function toExplanation (facts: RoomFacts): RoomExplanation {
  const { key, binding, nodes, isUnreadable = false, endedAt, settlingMs, history } = facts
  const reasons = nodes.map((node) => ({ id: node.id, reason: reasonAgainst(node) }))
  const candidates = reasons.flatMap(({ id, reason }) => reason === undefined ? id : [])
  const leftOut = reasons.flatMap(({ id, reason }) => reason === undefined ? [] : { id, reason })
  const next = isUnreadable ? 'the error 50302: the binding cannot be read' : nextOf(facts, candidates)
  const explanation: RoomExplanation = { key, settlingMs, candidates, leftOut, next, history: history.map(toEvent) }
  if (binding !== undefined) explanation.binding = binding
  if (endedAt > 0) explanation.endedAt = endedAt
  return explanation
}

function nextOf ({ binding, settlingMs }: Pick<RoomFacts, 'binding' | 'settlingMs'>, candidates: string[]): string {
  if (binding?.isAlive === true && !isGivenUp(binding)) return nextOfBound(binding)
  const why = reasonForChoice(binding)
  const seconds = Math.ceil(settlingMs / 1000)
  if (settlingMs > 0) return `the error 50303, since the store settles for ${seconds} s more: ${why}`
  const others = isGivenUp(binding) ? candidates.filter((id) => id !== binding?.node) : candidates
  if (others.length === 0) return `the error 50301 or 50308: ${why}, and no node may take a new room`
  if (binding?.target !== undefined && others.includes(binding.target)) return `the node ${binding.target}: ${why}`
  if (others.length === 1) return `the node ${others[0]}: ${why}`
  return `one of ${others.length} nodes: ${why}`
}

const isMoving = (binding: Binding) => binding?.state === 'moving' || binding?.state === 'moved'
const isGivenUp = (binding: Binding) => binding?.state === 'moved'

function nextOfBound ({ node, state }: NonNullable<Binding>): string {
  if (state === 'moving') return `the error 50303: the room leaves ${node}, which has not given it up yet`
  return `the node ${node}: the room is bound to it, and it is alive`
}

function reasonForChoice (binding: Binding): string {
  if (binding === undefined) return 'the room is bound to no node'
  if (isMoving(binding)) return `an operator moved the room away from ${binding.node}`
  return `${binding.node} is not alive`
}

/** The reason why a node may not take a new room. */
function reasonAgainst ({ state, order, rooms = 0, capacity = Infinity, fault }: OperatedNode): string | undefined {
  if (order !== undefined) return `${order.kind} by ${order.author}: ${order.reason}`
  if (state === 'rejected') return fault ?? state
  if (state !== 'serving') return state
  return rooms >= capacity ? `full: ${rooms} of ${capacity} rooms` : undefined
}
