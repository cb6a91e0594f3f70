import { createReadOrders } from './read-orders.js'
import type { DependencyName } from './request-context.js'
import type { InFlight } from './in-flight.js'
import type { Counter, Gauge as GaugeOf, Histogram, Registry as PromRegistry } from 'prom-client'
import type { Adapter, BackendStatus } from '../../types/adapter.js'
import type { MetricsRegistry } from '../../types/options.js'
import type { NodeView, Registry } from '../../types/registry.js'

/** `gone`: the caller disconnected before its answer. */
export type Outcome = 'ok' | 'refused' | 'failed' | 'gone'

export interface Metrics {
  answered (outcome: Outcome, retCode: string, seconds: number): void
  asked (dependency: DependencyName, seconds: number): void
  signed (kind: 'normal' | 'join-only'): void
  recordRejected (): void
  /** The gauges show this instance of the plugin from now on. @returns ends that */
  watch (instance: WatchedInstance): () => void
}

type Adapters = Readonly<Record<DependencyName, Adapter>> & { readonly registry: Registry }

export interface WatchedInstance extends Adapters {
  readonly inFlight: Pick<InFlight, 'count' | 'limit'>
  /** Whether a load balancer may send requests. */
  isReady (): boolean
}

export const NO_METRICS: Metrics = {
  answered () {}, asked () {}, signed () {}, recordRejected () {}, watch: () => () => {}
}

/** All instances of the plugin that share a prom-client registry. */
const watchedIn = new WeakMap<MetricsRegistry, Set<WatchedInstance>>()

const DEPENDENCIES: readonly DependencyName[] = ['sessions', 'registry', 'provision']
const STATES: ReadonlyArray<BackendStatus['state']> = ['starting', 'up', 'degraded', 'down', 'closed']
const ORDER_KINDS = ['cordon', 'drain'] as const
const NODE_STATES = ['serving', 'full', 'draining'] as const
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5]

/**
 * Registers the metrics in the host's prom-client registry. prom-client is loaded only here: it is an optional peer.
 * Labels never carry a room or a user. Instances of the plugin with one registry share the metrics: counters add up,
 * and the gauges show the adapters of all instances, each adapter once.
 */
export async function createMetrics (host: MetricsRegistry): Promise<Metrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client')
  // The option's type names only the used members, so that our types do not need prom-client.
  const registers = [host as unknown as PromRegistry]
  const watched = watchedIn.get(host) ?? new Set()
  watchedIn.set(host, watched)
  const distinct = <Name extends DependencyName>(name: Name): Array<WatchedInstance[Name]> =>
    [...new Set([...watched].map((instance) => instance[name]))]
  const sumOf = (read: (instance: WatchedInstance) => number) => [...watched].reduce((sum, one) => sum + read(one), 0)
  const held = <M>(name: string, make: () => M): M => (host.getSingleMetric(name) as M | undefined) ?? make()

  const readOrders = createReadOrders()
  /** @returns undefined unless the orders of all registries are known: a count of a part would be wrong */
  async function findOrders () {
    const found = await Promise.all(distinct('registry').map(readOrders))
    return found.length === 0 || found.includes(undefined) ? undefined : found.flatMap((orders) => [...orders ?? []])
  }

  function show (
    name: string, help: string, labelNames: string[], set: (gauge: GaugeOf) => void | Promise<void>
  ): void {
    held(name, () => new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect () {
        this.reset()
        return set(this)
      }
    }))
  }

  const requests: Counter = held('cobrowse_requests_total', () => new Counter({
    name: 'cobrowse_requests_total', help: 'Answered requests', labelNames: ['outcome', 'ret_code'], registers
  }))
  const duration: Histogram = held('cobrowse_request_duration_seconds', () => new Histogram({
    name: 'cobrowse_request_duration_seconds', help: 'From arrival to answer', buckets: SECONDS_BUCKETS, registers
  }))
  const dependency: Histogram = held('cobrowse_dependency_duration_seconds', () => new Histogram({
    name: 'cobrowse_dependency_duration_seconds',
    help: 'One call of a dependency',
    labelNames: ['dependency'],
    buckets: SECONDS_BUCKETS,
    registers
  }))
  const shownDependencies = () => watched.size > 0 ? DEPENDENCIES : []
  show('cobrowse_dependency_up', '1 when it answers', ['dependency'], (gauge) => {
    for (const dependency of shownDependencies()) gauge.set({ dependency }, distinct(dependency).every(isUp) ? 1 : 0)
  })
  show('cobrowse_dependency_state', 'Adapters in this state', ['dependency', 'state'], (gauge) => {
    for (const dependency of shownDependencies()) {
      const present = distinct(dependency).map((adapter) => adapter.status().state)
      for (const state of STATES) gauge.set({ dependency, state }, present.filter((one) => one === state).length)
    }
  })
  const signatures: Counter = held('cobrowse_signatures_issued_total', () => new Counter({
    name: 'cobrowse_signatures_issued_total', help: 'Signatures issued', labelNames: ['kind'], registers
  }))
  const rejected: Counter = held('cobrowse_node_records_rejected_total', () => new Counter({
    name: 'cobrowse_node_records_rejected_total', help: 'Node records that cannot be read', registers
  }))
  show('cobrowse_registry_view_age_seconds', 'Since the nodes were last read', [], (gauge) => {
    const ages = distinct('registry').map((registry) => registry.status().viewAgeMs ?? 0)
    gauge.set(Math.max(0, ...ages) / 1000)
  })
  show('cobrowse_in_flight', 'Requests under way', [], (gauge) => {
    gauge.set(sumOf(({ inFlight }) => inFlight.count()))
  })
  show('cobrowse_in_flight_limit', 'How many requests may be under way at present', [], (gauge) => {
    gauge.set(sumOf(({ inFlight }) => inFlight.limit()))
  })
  show('cobrowse_ready', '1 if a load balancer may send requests', [], (gauge) => {
    gauge.set(watched.size > 0 && [...watched].every((instance) => instance.isReady()) ? 1 : 0)
  })
  show('cobrowse_nodes', 'Nodes as last seen', ['state'], (gauge) => {
    if (watched.size === 0) return
    const present = distinct('registry').flatMap((registry) => registry.nodes()).map(stateOf)
    for (const state of NODE_STATES) gauge.set({ state }, present.filter((one) => one === state).length)
  })
  show('cobrowse_orders', 'Orders of operators', ['kind'], async (gauge) => {
    const orders = await findOrders()
    if (orders === undefined) return
    for (const kind of ORDER_KINDS) gauge.set({ kind }, orders.filter(([, order]) => order.kind === kind).length)
  })
  show('cobrowse_order_age_seconds', 'Since an operator gave the order', ['node', 'kind'], async (gauge) => {
    for (const [node, { kind, at }] of await findOrders() ?? []) {
      gauge.set({ node, kind }, Math.max(0, Date.now() - at) / 1000)
    }
  })

  return {
    answered (outcome, retCode, seconds) {
      requests.inc({ outcome, ret_code: retCode })
      if (outcome !== 'gone') duration.observe(seconds)
    },
    asked: (name, seconds) => dependency.observe({ dependency: name }, seconds),
    signed: (kind) => signatures.inc({ kind }),
    recordRejected: () => rejected.inc(),
    watch (instance) {
      watched.add(instance)
      return () => { watched.delete(instance) }
    }
  }
}

function isUp (adapter: Adapter): boolean {
  return ['up', 'degraded'].includes(adapter.status().state)
}

function stateOf ({ draining, rooms, capacity = Infinity }: NodeView): typeof NODE_STATES[number] {
  if (draining) return 'draining'
  return rooms < capacity ? 'serving' : 'full'
}
