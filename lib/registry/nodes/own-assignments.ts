import { memberOf } from './member.js'
import type { NodeView } from '../../../types/registry.js'

/** Weight of the past in the estimate, at each view. */
const DECAY = 0.8
/** Fewest rooms from which the load of other gateways is estimated. */
const MIN_SAMPLE = 8
const MAX_FACTOR = 64

/** Rooms that this gateway gave to each registration and that the node's record may not count so far. */
export interface OwnAssignments {
  add (node: NodeView, change: 1 | -1): void
  of (node: NodeView): number
  /** Estimate of the same for all gateways together, if they give rooms in the proportion of this one. */
  ofAll (node: NodeView): number
  /** Takes a new reading of the nodes, whose records include the rooms from before the previous reading. */
  turn (nodes: readonly NodeView[]): void
}

/*
 * A record is up to one heartbeat old when it is read, so an assignment counts here until the second reading after it.
 * If each of eight gateways corrected the whole imbalance that all of them read, together they would overshoot
 * eightfold and oscillate ever wider. So each gateway scales its own assignments by the measured ratio of the growth of
 * all nodes' rooms to the rooms that it gave.
 */
export function createOwnAssignments (): OwnAssignments {
  let recent = new Map<string, number>()
  let earlier = new Map<string, number>()
  let reported = new Map<string, number>()
  let given = 0
  let grown = 0

  const of = (node: NodeView) => {
    const member = memberOf(node)
    return (recent.get(member) ?? 0) + (earlier.get(member) ?? 0)
  }
  return {
    of,
    add (node, change) {
      const member = memberOf(node)
      const inRecent = recent.get(member) ?? 0
      if (change === 1) recent.set(member, inRecent + 1)
      else if (inRecent > 0) recent.set(member, inRecent - 1)
      // A reading came between an assignment and its withdrawal.
      else earlier.set(member, Math.max(0, (earlier.get(member) ?? 0) - 1))
    },
    ofAll (node) {
      const factor = given < MIN_SAMPLE ? 1 : Math.min(MAX_FACTOR, Math.max(1, grown / given))
      return of(node) * factor
    },
    turn (nodes) {
      given *= DECAY
      grown *= DECAY
      for (const count of recent.values()) given += count
      const rooms = new Map(nodes.map((node) => [memberOf(node), node.rooms]))
      for (const [member, count] of rooms) grown += Math.max(0, count - (reported.get(member) ?? count))
      reported = rooms
      earlier = recent
      recent = new Map()
    }
  }
}
