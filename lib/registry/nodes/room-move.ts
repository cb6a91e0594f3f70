import { Type } from '@sinclair/typebox'
import { checkOptions } from '../../common/check-options.js'
import { ORDER_FIELDS } from './node-order.js'
import type { NewRoomMove, RoomExplanation } from '../../../types/operations.js'

/** The `description` of each completes the sentence "… must be". */
export const MOVE_FIELDS = {
  to: Type.Optional(Type.String({
    pattern: '^[A-Za-z0-9._:-]{1,64}$', description: 'the id of a node: 1 to 64 of A-Z a-z 0-9 . _ : -'
  })),
  reason: ORDER_FIELDS.reason,
  author: ORDER_FIELDS.author
}
const MoveSchema = Type.Object(MOVE_FIELDS, { additionalProperties: false })

/** @throws TypeError that names the field and the rule */
export function checkMove (move: NewRoomMove): NewRoomMove {
  checkOptions('move', MoveSchema, move)
  return move
}

/**
 * Checks that another node may take the room.
 *
 * @throws TypeError
 */
export function assertMovable ({ binding, candidates, leftOut }: RoomExplanation, { to }: NewRoomMove): void {
  if (binding === undefined) return
  if (to === undefined) {
    if (candidates.some((id) => id !== binding.node)) return
    throw new TypeError(`no node but ${binding.node} may take a room: start another node, or take back an order`)
  }
  if (to === binding.node) throw alreadyThere(to)
  if (candidates.includes(to)) return
  const reason = leftOut.find(({ id }) => id === to)?.reason ?? 'it is not registered'
  throw new TypeError(`"to" option of move: ${to} may take no room (${reason})`)
}

export function alreadyThere (to: string): TypeError {
  return new TypeError(`"to" option of move: the room is on ${to} already`)
}
