import { memberOf } from './member.js'
import type { NodeView } from '../../../types/registry.js'

/** Weight of the past in the estimate, at each view. */
const DECAY = 0.8
/** Fewer rooms than this tell nothing about the other gateways. */
const MIN_SAMPLE = 8
const MAX_FACTOR = 64

/** What this gateway gave to each registration of a node, as far as the node's record may not count it yet. */
export interface OwnAssignments {
  add (node: NodeView, change: 1 | -1): void
  of (node: NodeView): number
  /** The same for all gateways together: if they gave rooms in the proportion that this one did. */
  ofAll (node: NodeView): number
  /** The nodes were read anew: what was given before the last reading is in their records by now. */
  turn (nodes: readonly NodeView[]): void
}

/*
 * A record is up to one heartbeat old when it is read, so an assignment counts here until the second reading after it.
 * If each of eight gateways made up for the whole imbalance that all of them read, they would together overshoot
 * eightfold and swing ever wider. So each takes its own assignments for the share that they have shown to be in what
 * the nodes' rooms grew by.
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
      recent.set(member, (recent.get(member) ?? 0) + change)
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
