import { fault, ok, warning } from './finding.js'
import { toNames } from './names.js'
import type { Finding } from './finding.js'
import type { OperatedNode } from '../../../types/operations.js'

/** Lines about single nodes; a summary stands for the others. */
const MAX_LINES = 10

/** Judges the nodes as an operator sees them. */
export function judgeNodes (nodes: OperatedNode[]): Finding[] {
  return [judgeServing(nodes), ...judgeRejected(nodes), ...judgeLapsed(nodes)]
}

function judgeServing (nodes: OperatedNode[]): Finding {
  const registered = nodes.filter(({ state }) => state !== 'gone')
  const serving = registered.filter(({ state }) => state === 'serving')
  const full = serving.filter(isFull)
  if (registered.length === 0) {
    return fault('nodes', 'no node is registered', 'start a node; are the store and --prefix those of the gateways?')
  }
  if (serving.length === 0) {
    return fault('nodes', `none of ${registered.length} serves: no call gets a room`,
      'take an order back (uncordon), or start another node; "nodes" shows the state of each')
  }
  if (full.length === serving.length) {
    return fault('nodes', `all that serve are full: ${toNames(full)}`, 'start another node, or raise "capacity"')
  }
  const count = `${serving.length} of ${registered.length} serve`
  if (full.length > 0) {
    return warning('nodes', `${count}, and some are full: ${toNames(full)}`, 'start another node, or raise "capacity"')
  }
  return ok('nodes', count)
}

const isFull = ({ rooms = 0, capacity }: OperatedNode) => capacity !== undefined && rooms >= capacity

function judgeRejected (nodes: OperatedNode[]): Finding[] {
  const rejected = nodes.filter(({ state }) => state === 'rejected')
  const lines = rejected.slice(0, MAX_LINES).map(({ id, fault: reason = '' }) =>
    fault('nodes', `gateways reject ${id}: ${reason}`, 'correct the record that this node writes'))
  const others = rejected.slice(MAX_LINES)
  if (others.length === 0) return lines
  return [...lines, fault('nodes', `gateways reject ${others.length} more`, 'correct the records that they write')]
}

function judgeLapsed (nodes: OperatedNode[]): Finding[] {
  const lapsed = nodes.filter(({ state }) => state === 'lapsed')
  if (lapsed.length === 0) return []
  return [warning('nodes', `not heard of for a lease: ${toNames(lapsed)}`,
    'does the process run, and does it reach the store? See CobrowseNodeLost in docs/runbook.md')]
}
