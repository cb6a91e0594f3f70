import type { DependencyName } from './dependency.js'
import type { Counter, Gauge, Histogram, Registry as PromRegistry } from 'prom-client'
import type { BackendStatus } from '../types/adapter.js'
import type { MetricsRegistry } from '../types/options.js'
import type { Registry } from '../types/registry.js'

export type Outcome = 'ok' | 'refused' | 'failed'

export interface Metrics {
  answered (outcome: Outcome, retCode: string, seconds: number): void
  asked (dependency: DependencyName, seconds: number): void
  backend (dependency: DependencyName, status: BackendStatus): void
  signed (kind: 'normal' | 'join-only'): void
}

export const NO_METRICS: Metrics = { answered () {}, asked () {}, backend () {}, signed () {} }

const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5]

/**
 * Puts the metrics into the host's prom-client registry. prom-client is loaded only here: it is an optional peer.
 * Labels never carry a room or a user. Two instances of the plugin in one registry share the metrics.
 */
export async function createMetrics (host: MetricsRegistry, registry: Registry): Promise<Metrics> {
  const { Counter, Gauge, Histogram } = await import('prom-client')
  // The option's type names only what is used, so that our types do not need prom-client.
  const registers = [host as unknown as PromRegistry]
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
  const up: Gauge = held('cobrowse_dependency_up', () => new Gauge({
    name: 'cobrowse_dependency_up', help: '1 when it answers', labelNames: ['dependency'], registers
  }))
  const signatures: Counter = held('cobrowse_signatures_issued_total', () => new Counter({
    name: 'cobrowse_signatures_issued_total', help: 'Signatures issued', labelNames: ['kind'], registers
  }))
  held('cobrowse_registry_view_age_seconds', () => new Gauge({
    name: 'cobrowse_registry_view_age_seconds',
    help: 'Since the nodes were last read',
    registers,
    collect () {
      this.set((registry.status().viewAgeMs ?? 0) / 1000)
    }
  }))
  held('cobrowse_nodes', () => new Gauge({
    name: 'cobrowse_nodes',
    help: 'Nodes as last seen',
    labelNames: ['state'],
    registers,
    collect () {
      const nodes = registry.nodes()
      const draining = nodes.filter((node) => node.draining).length
      this.set({ state: 'draining' }, draining)
      this.set({ state: 'serving' }, nodes.length - draining)
    }
  }))

  return {
    answered (outcome, retCode, seconds) {
      requests.inc({ outcome, ret_code: retCode })
      duration.observe(seconds)
    },
    asked: (name, seconds) => dependency.observe({ dependency: name }, seconds),
    backend: (name, { state }) => up.set({ dependency: name }, state === 'up' || state === 'degraded' ? 1 : 0),
    signed: (kind) => signatures.inc({ kind })
  }
}
