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

/** Rooms given since the latest reading, and between that and the one before. */
interface Count {
  recent: number
  earlier: number
}

/*
 * A record is up to one heartbeat old when it is read, so an assignment counts here until the second reading after it.
 * If each of eight gateways corrected the whole imbalance that all of them read, together they would overshoot
 * eightfold and oscillate ever wider. So each gateway scales its own assignments by the measured ratio of the growth of
 * all nodes' rooms to the rooms that it gave.
 */
export function createOwnAssignments (): OwnAssignments {
  let counts = new Map<string, Count>()
  /** A choice asks for each node several times, and to make its name costs more than all else here. */
  let countsOfViews = new WeakMap<NodeView, Count>()
  let reported = new Map<string, number>()
  let given = 0
  let grown = 0

  function countOf (node: NodeView): Count {
    let count = countsOfViews.get(node)
    if (count === undefined) {
      const member = memberOf(node)
      count = counts.get(member) ?? { recent: 0, earlier: 0 }
      counts.set(member, count)
      countsOfViews.set(node, count)
    }
    return count
  }

  function of (node: NodeView): number {
    const { recent, earlier } = countOf(node)
    return recent + earlier
  }

  return {
    of,
    add (node, change) {
      const count = countOf(node)
      if (change === 1) count.recent++
      else if (count.recent > 0) count.recent--
      // A reading came between an assignment and its withdrawal.
      else count.earlier = Math.max(0, count.earlier - 1)
    },
    ofAll (node) {
      const factor = given < MIN_SAMPLE ? 1 : Math.min(MAX_FACTOR, Math.max(1, grown / given))
      return of(node) * factor
    },
    turn (nodes) {
      given *= DECAY
      grown *= DECAY
      const before = counts
      counts = new Map()
      countsOfViews = new WeakMap()
      for (const [member, { recent }] of before) {
        given += recent
        if (recent > 0) counts.set(member, { recent: 0, earlier: recent })
      }
      const rooms = new Map(nodes.map((node) => [memberOf(node), node.rooms]))
      for (const [member, count] of rooms) grown += Math.max(0, count - (reported.get(member) ?? count))
      reported = rooms
    }
  }
}
