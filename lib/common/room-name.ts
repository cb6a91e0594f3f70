import type { RoomKey } from '../../types/registry.js'

/** One text per room. The length in front keeps tenant `a` with room `b:c` apart from tenant `a:b` with room `c`. */
export function roomName ({ tenant, room }: RoomKey): string {
  return `${Buffer.byteLength(tenant)}:${tenant}${Buffer.byteLength(room)}:${room}`
}
