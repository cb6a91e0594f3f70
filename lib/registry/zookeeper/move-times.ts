import { isMove } from './binding.js'
import type { Clock } from '../../common/clock.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { Binding } from './binding.js'

export interface MoveTimesOptions {
  client: Pick<ZooKeeperClient, 'sessionTimeout'>
  clock: Pick<Clock, 'wall'>
  /** Milliseconds by which a binding outlives the last signature. */
  lingerMs: number
}

/** How long a room that an operator moves waits for its node, and is kept away from it. */
export interface MoveTimes {
  /** Whether the room waits: its node has not given it up, and earlier signatures may be valid. */
  isWaiting (binding: Binding): boolean
  /** Whether the room must not return to the node that it leaves. */
  leavesOut (binding: Binding): boolean
}

export function createMoveTimes ({ client, clock, lingerMs }: MoveTimesOptions): MoveTimes {
  const waitMs = () => lingerMs + client.sessionTimeout()
  // The moment stands in place of the claims.
  const since = ({ claims: movedAt }: Binding) => clock.wall() - movedAt
  return {
    isWaiting: (binding) => binding.state === 'moving' && since(binding) <= waitMs(),
    leavesOut: (binding) => isMove(binding) && since(binding) <= 2 * waitMs()
  }
}
