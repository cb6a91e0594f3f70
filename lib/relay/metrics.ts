import type { Registry as PromRegistry } from 'prom-client'
import type { Traffic } from './traffic.js'
import type { MetricsRegistry } from '../../types/options.js'

/** What the metrics of one relay node show. */
export interface RelayCounts extends Traffic {
  node: string
  connections: number
  bufferedBytes: number
}

export interface RelayMetrics {
  /** The metrics show this node from now on. @returns ends that */
  watch (counts: () => RelayCounts): () => void
}

type Sample = [labels: Record<string, string>, value: number]

/** All relay nodes of this process that share a prom-client registry. */
const watchedIn = new WeakMap<MetricsRegistry, Set<() => RelayCounts>>()

/**
 * Registers the metrics of relay nodes in the host's prom-client registry. prom-client is loaded only here: it is an
 * optional peer. Values are read when Prometheus asks, so that a message costs no metric.
 */
export async function createRelayMetrics (host: MetricsRegistry): Promise<RelayMetrics> {
  const { Counter, Gauge } = await import('prom-client')
  // The option's type names only the used members, so that our types do not need prom-client.
  const registers = [host as unknown as PromRegistry]
  const watched = watchedIn.get(host) ?? new Set()
  watchedIn.set(host, watched)

  function show (
    Kind: typeof Counter | typeof Gauge, name: string, help: string, labels: string[],
    read: (counts: RelayCounts) => Sample[]
  ): void {
    if (host.getSingleMetric(name) !== undefined) return
    const metric = new Kind({
      name,
      help,
      labelNames: ['node', ...labels],
      registers,
      collect () {
        metric.reset()
        for (const countsOf of watched) {
          const counts = countsOf()
          for (const [own, value] of read(counts)) metric.inc({ node: counts.node, ...own }, value)
        }
      }
    })
  }

  const byLabel = (label: string, values: Record<string, number>): Sample[] =>
    Object.entries(values).map(([name, value]) => [{ [label]: name }, value])

  show(Gauge, 'cobrowse_relay_connections', 'WebSockets, those that are not admitted yet included', [],
    ({ connections }) => [[{}, connections]])
  show(Gauge, 'cobrowse_relay_buffered_bytes', 'Bytes that wait for clients that read slowly', [],
    ({ bufferedBytes }) => [[{}, bufferedBytes]])
  show(Counter, 'cobrowse_relay_messages_total', 'Messages that clients sent', ['role'],
    ({ messages }) => byLabel('role', messages))
  show(Counter, 'cobrowse_relay_bytes_total', 'Bytes of the messages that clients sent', ['role'],
    ({ bytes }) => byLabel('role', bytes))
  show(Counter, 'cobrowse_relay_disconnects_total', 'Clients that read too slowly, or answered no ping', ['reason'],
    ({ disconnects }) => byLabel('reason', disconnects))
  show(Counter, 'cobrowse_relay_throttles_total', 'Times that a client sent too much, and was read more slowly', [],
    ({ throttles }) => [[{}, throttles]])

  return {
    watch (counts) {
      watched.add(counts)
      return () => { watched.delete(counts) }
    }
  }
}
