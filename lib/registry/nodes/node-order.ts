import { Type } from '@sinclair/typebox'
import { checkOptions } from '../../common/check-options.js'
import { NODE_ID } from './node-record.js'
import type { NewNodeOrder, NodeOrder } from '../../../types/operations.js'

const MAX_REASON = 200
const MAX_AUTHOR = 64
/** A day. */
const MAX_DEADLINE_MS = 86_400_000
/** Fits the reason of a WebSocket's close, and the longest time that clients read there. */
export const MAX_RETURN_MS = 600_000
export const DRAIN_DEADLINE_MS = 600_000

const line = (longest: number) => Type.String({
  pattern: `^[^\\u0000-\\u001f\\u007f-\\u009f]{1,${longest}}$`,
  description: `a text of 1 to ${longest} characters, without line breaks`
})
const upTo = (maximum: number) => Type.Optional(Type.Integer({
  minimum: 0, maximum, description: `an integer from 0 to ${maximum}, in milliseconds`
}))

/** The `description` of each completes the sentence "… must be". */
export const ORDER_FIELDS = {
  kind: Type.Union([Type.Literal('cordon'), Type.Literal('drain')], { description: '"cordon" or "drain"' }),
  reason: line(MAX_REASON),
  author: line(MAX_AUTHOR),
  deadline: upTo(MAX_DEADLINE_MS),
  returnWithin: upTo(MAX_RETURN_MS)
}
const OrderSchema = Type.Object(ORDER_FIELDS, { additionalProperties: false })
const CordonSchema = Type.Object({
  kind: Type.Literal('cordon'), reason: ORDER_FIELDS.reason, author: ORDER_FIELDS.author
}, { additionalProperties: false })

/**
 * @returns the order with its defaults
 * @throws TypeError that names the field and the rule
 */
export function checkOrder (id: unknown, order: NewNodeOrder): NewNodeOrder {
  checkOrderedId(id)
  checkOptions('setOrder', OrderSchema, order)
  const { kind, reason, author, deadline = DRAIN_DEADLINE_MS, returnWithin = 0 } = order
  if (kind === 'drain') return { kind, reason, author, deadline, returnWithin }
  checkOptions('setOrder with a cordon', CordonSchema, order)
  return { kind, reason, author }
}

/** @throws TypeError */
export function checkOrderedId (id: unknown): void {
  if (typeof id === 'string' && NODE_ID.test(id)) return
  throw new TypeError('the id of a node must be 1 to 64 of A-Z a-z 0-9 . _ : -')
}

/** Stands for an order that cannot be read: the node stays out of the choice, and nobody is disconnected. */
const UNREADABLE: NodeOrder = Object.freeze({
  kind: 'cordon', reason: 'the order cannot be read', author: 'unknown', at: 0
})

/** Reads an order as a store keeps it, as JSON. */
export function parseOrder (text: string): NodeOrder {
  try {
    const { at, ...order } = JSON.parse(text)
    checkOptions('setOrder', OrderSchema, order)
    return Number.isSafeInteger(at) ? { at, ...order } : UNREADABLE
  } catch {
    return UNREADABLE
  }
}
