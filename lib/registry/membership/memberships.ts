import { joinStore } from './membership.js'
import type { Clock } from '../../common/clock.js'
import type { NodeStore } from './node-store.js'
import type { Membership, NodeRecord } from '../../../types/registry.js'

/** The nodes that joined through one registry, and have not left. */
export interface Memberships {
  join (store: NodeStore, record: NodeRecord): Promise<Membership>
  leaveAll (): Promise<void>
}

export function createMemberships (clock: Clock): Memberships {
  const present = new Set<Membership>()
  return {
    async join (store, record) {
      const membership = await joinStore({ store, record, clock, onLeave: (left) => present.delete(left) })
      present.add(membership)
      return membership
    },
    async leaveAll () {
      await Promise.all([...present].map(async (membership) => await membership.leave()))
    }
  }
}
