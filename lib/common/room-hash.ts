import { createHmac } from 'node:crypto'

const LENGTH = 16

/**
 * Makes the name of a room in the log: the same on every gateway with the same secret, and no way back to the room
 * without it.
 *
 * @param secret as it is now
 */
export function createRoomHash (secret: () => string | Uint8Array): (room: string) => string {
  return (room) => createHmac('sha256', secret()).update(`log:${room}`).digest('base64url').slice(0, LENGTH)
}
