import { createHmac } from 'node:crypto'
import type { SigningKey } from '../../types/signature.js'

const LENGTH = 16

/**
 * Makes the name of a room in the log: the same on every gateway with the same first key, and no way back to the room
 * without that key.
 */
export function createRoomHash ([key]: readonly SigningKey[]): (room: string) => string {
  return (room) => {
    if (key === undefined) return ''
    return createHmac('sha256', key.secret).update(`log:${room}`).digest('base64url').slice(0, LENGTH)
  }
}
