import type { Role } from '../../types/role.js'

/** `slow` too much waited for the client · `silent` it answered no ping */
export type Disconnection = 'slow' | 'silent'

export interface Traffic {
  /** Messages that clients sent, by role. */
  messages: Record<Role, number>
  bytes: Record<Role, number>
  disconnects: Record<Disconnection, number>
  throttles: number
}

/** Counts since the start of the node. */
export interface RelayTraffic {
  received (role: Role, length: number): void
  disconnected (reason: Disconnection): void
  throttled (): void
  totals (): Traffic
}

export function createTraffic (): RelayTraffic {
  const messages: Record<Role, number> = { recorder: 0, replayer: 0 }
  const bytes: Record<Role, number> = { recorder: 0, replayer: 0 }
  const disconnects: Record<Disconnection, number> = { slow: 0, silent: 0 }
  let throttles = 0

  return {
    received (role, length) {
      messages[role]++
      bytes[role] += length
    },
    disconnected (reason) {
      disconnects[reason]++
    },
    throttled () {
      throttles++
    },
    totals: () => ({ messages, bytes, disconnects, throttles })
  }
}
