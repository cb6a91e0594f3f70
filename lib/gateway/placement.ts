import type { NodeView, SelectNode } from '../../types/registry.js'
import type { Preference } from '../../types/placement.js'

/**
 * Orders by the first function; among nodes that it does not tell apart, by the second, and so on. Each function orders
 * what the later ones have ordered.
 *
 * ```js
 * selectNode: chain(prefer({ zone: 'az1' }), leastLoaded)
 * ```
 */
export function chain (...steps: SelectNode[]): SelectNode {
  return (candidates, context) => steps.reduceRight((ordered, step) => step(ordered, context), candidates)
}

/** Nodes with all of these fields come first. The others follow, for when none of the first has room or is live. */
export function prefer (wanted: Preference): SelectNode {
  const matches = (node: NodeView) => fits(node, wanted)
  return (candidates) => [...candidates.filter(matches), ...candidates.filter((node) => !matches(node))]
}

/** Leaves nodes out: they get no new rooms from this gateway. */
export function filterBy (isEligible: (node: NodeView) => boolean): SelectNode {
  return (candidates) => candidates.filter(isEligible)
}

/** Nodes with the fewest rooms for their weight come first. */
export const leastLoaded: SelectNode = (candidates, { ownAssignments }) => {
  const loads = new Map(candidates.map((node) => [node, (node.rooms + ownAssignments(node)) / node.weight]))
  return [...candidates].sort((one, other) => (loads.get(one) ?? 0) - (loads.get(other) ?? 0))
}

function fits (node: NodeView, { zone, version, labels = {} }: Preference): boolean {
  return (zone === undefined || node.zone === zone) && (version === undefined || node.version === version) &&
    Object.entries(labels).every(([name, value]) => node.labels?.[name] === value)
}
