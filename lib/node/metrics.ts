import type { Gauge, Registry as PromRegistry } from 'prom-client'
import type { MetricsRegistry } from '../../types/options.js'
import type { CloseCode, NodeStatus } from '../../types/node.js'
import type { ClaimResult } from '../../types/registry.js'

/** Each function takes the id of the node first. */
export interface NodeMetrics {
  admitted (node: string): void
  /** @param closeCode left out for an error that is none of the catalogue */
  refused (node: string, closeCode?: CloseCode): void
  lapsed (node: string): void
  /** A client's room was claimed. @param result `failed` if the registry could not be asked */
  claimed (node: string, result: ClaimResult | 'failed'): void
  /** An open room turned out to be bound to another node. */
  roomLost (node: string): void
  /** The gauges show this node from now on. @returns ends that */
  watch (status: () => NodeStatus): () => void
}

export const NO_METRICS: NodeMetrics = {
  admitted () {}, refused () {}, lapsed () {}, claimed () {}, roomLost () {}, watch: () => () => {}
}

/** All nodes of this process that share a prom-client registry. */
const watchedIn = new WeakMap<MetricsRegistry, Set<() => NodeStatus>>()

const STATES: ReadonlyArray<NodeStatus['state']> = [
  'serving', 'cordoned', 'draining', 'lapsed', 'drained', 'replaced', 'closed'
]
const CLAIM_RESULTS: ReadonlyArray<ClaimResult | 'failed'> = ['ok', 'elsewhere', 'lapsed', 'ended', 'failed']
const NO_CODE = 'none'

/**
 * Registers the metrics of nodes in the host's prom-client registry. prom-client is loaded only here: it is an optional
 * peer. Labels never carry a room or a user. Nodes with one registry share the metrics.
 */
export async function createNodeMetrics (host: MetricsRegistry): Promise<NodeMetrics> {
  const { Counter, Gauge } = await import('prom-client')
  // The option's type names only the used members, so that our types do not need prom-client.
  const registers = [host as unknown as PromRegistry]
  const watched = watchedIn.get(host) ?? new Set()
  watchedIn.set(host, watched)
  const held = <M>(name: string, make: () => M): M => (host.getSingleMetric(name) as M | undefined) ?? make()

  function show (name: string, help: string, labels: string[], set: (gauge: Gauge, status: NodeStatus) => void): void {
    held(name, () => new Gauge({
      name,
      help,
      labelNames: ['node', ...labels],
      registers,
      collect () {
        this.reset()
        for (const status of watched) set(this, status())
      }
    }))
  }

  show('cobrowse_node_rooms', 'Open rooms', [], (gauge, { id, rooms }) => gauge.set({ node: id }, rooms))
  show('cobrowse_node_seats', 'Admitted clients', [], (gauge, { id, seats }) => gauge.set({ node: id }, seats))
  show('cobrowse_node_state', '1 for the present state', ['state'], (gauge, { id, state: present }) => {
    for (const state of STATES) gauge.set({ node: id, state }, state === present ? 1 : 0)
  })
  const admissions = held('cobrowse_node_admissions_total', () => new Counter({
    name: 'cobrowse_node_admissions_total',
    help: 'Clients that asked to be admitted',
    labelNames: ['node', 'outcome', 'close_code'],
    registers
  }))
  const lapses = held('cobrowse_node_lapses_total', () => new Counter({
    name: 'cobrowse_node_lapses_total', help: 'Leases that expired', labelNames: ['node'], registers
  }))
  const claims = held('cobrowse_node_claims_total', () => new Counter({
    name: 'cobrowse_node_claims_total', help: 'Rooms claimed for a client', labelNames: ['node', 'result'], registers
  }))
  const lost = held('cobrowse_node_rooms_lost_total', () => new Counter({
    name: 'cobrowse_node_rooms_lost_total', help: 'Open rooms bound to another node', labelNames: ['node'], registers
  }))

  /** A counter that first appears as 1 shows Prometheus no increase. */
  function startAtZero (node: string): void {
    lapses.inc({ node }, 0)
    lost.inc({ node }, 0)
    for (const result of CLAIM_RESULTS) claims.inc({ node, result }, 0)
  }

  return {
    admitted: (node) => admissions.inc({ node, outcome: 'admitted', close_code: NO_CODE }),
    refused: (node, closeCode) =>
      admissions.inc({ node, outcome: 'refused', close_code: closeCode?.toString() ?? NO_CODE }),
    lapsed: (node) => lapses.inc({ node }),
    claimed: (node, result) => claims.inc({ node, result }),
    roomLost: (node) => lost.inc({ node }),
    watch (status) {
      startAtZero(status().id)
      watched.add(status)
      return () => { watched.delete(status) }
    }
  }
}
