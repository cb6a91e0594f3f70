import type { DependencyName } from './request-context.js'
import type { InFlight } from './in-flight.js'
import type { Counter, Histogram, Registry as PromRegistry } from 'prom-client'
import type { Adapter } from '../../types/adapter.js'
import type { MetricsRegistry } from '../../types/options.js'
import type { Registry } from '../../types/registry.js'

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
}

export const NO_METRICS: Metrics = {
  answered () {}, asked () {}, signed () {}, recordRejected () {}, watch: () => () => {}
}

/** All instances of the plugin that share a prom-client registry. */
const watchedIn = new WeakMap<MetricsRegistry, Set<WatchedInstance>>()

const DEPENDENCIES: readonly DependencyName[] = ['sessions', 'registry', 'provision']
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
  held('cobrowse_dependency_up', () => new Gauge({
    name: 'cobrowse_dependency_up',
    help: '1 when it answers',
    labelNames: ['dependency'],
    registers,
    collect () {
      this.reset()
      for (const dependency of watched.size > 0 ? DEPENDENCIES : []) {
        this.set({ dependency }, distinct(dependency).every(isUp) ? 1 : 0)
      }
    }
  }))
  const signatures: Counter = held('cobrowse_signatures_issued_total', () => new Counter({
    name: 'cobrowse_signatures_issued_total', help: 'Signatures issued', labelNames: ['kind'], registers
  }))
  const rejected: Counter = held('cobrowse_node_records_rejected_total', () => new Counter({
    name: 'cobrowse_node_records_rejected_total', help: 'Node records that cannot be read', registers
  }))
  held('cobrowse_registry_view_age_seconds', () => new Gauge({
    name: 'cobrowse_registry_view_age_seconds',
    help: 'Since the nodes were last read',
    registers,
    collect () {
      this.set(Math.max(0, ...distinct('registry').map((registry) => registry.status().viewAgeMs ?? 0)) / 1000)
    }
  }))
  held('cobrowse_in_flight', () => new Gauge({
    name: 'cobrowse_in_flight',
    help: 'Requests under way',
    registers,
    collect () {
      this.set(sumOf(({ inFlight }) => inFlight.count()))
    }
  }))
  held('cobrowse_in_flight_limit', () => new Gauge({
    name: 'cobrowse_in_flight_limit',
    help: 'How many requests may be under way at present',
    registers,
    collect () {
      this.set(sumOf(({ inFlight }) => inFlight.limit()))
    }
  }))
  held('cobrowse_nodes', () => new Gauge({
    name: 'cobrowse_nodes',
    help: 'Nodes as last seen',
    labelNames: ['state'],
    registers,
    collect () {
      this.reset()
      if (watched.size === 0) return
      const nodes = distinct('registry').flatMap((registry) => registry.nodes())
      const draining = nodes.filter((node) => node.draining).length
      this.set({ state: 'draining' }, draining)
      this.set({ state: 'serving' }, nodes.length - draining)
    }
  }))

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
