import { setTimeout as sleep } from 'node:timers/promises'
import { startRelay } from '../../lib/relay/index.js'
import type { FastifyBaseLogger } from 'fastify'
import type { NodeRegistry } from '../backends.js'
import type { Relay, RelayStatus, StartRelayOptions } from '../../lib/relay/index.js'

const RETRY_MS = 500

export interface SlotOptions extends Pick<StartRelayOptions, 'id' | 'wssUrl' | 'wssUrlOut' | 'signing' | 'metrics'> {
  openRegistry (): NodeRegistry
  log: FastifyBaseLogger
}

/** The place of one relay node, which can end there and come back. */
export interface RelaySlot {
  readonly id: string
  readonly wssUrl: string
  /** Absent while the node is stopped, or has not registered. */
  readonly relay: Relay | undefined
  state (): RelayStatus['state'] | 'starting' | 'stopped'
  /** Registers a relay node, now or as soon as the registry can be reached. Does nothing if there is one. */
  start (): void
  /** Resolves once the node has registered, or has been told to end before it could. */
  registered (): Promise<void>
  /** Like `kill -9`: every connection is cut, and the registry is not told. */
  stop (): Promise<void>
  close (): Promise<void>
}

export function createRelaySlot ({ openRegistry, log, ...node }: SlotOptions): RelaySlot {
  let relay: Relay | undefined
  let store: NodeRegistry | undefined
  let ending = new AbortController()
  let starting: Promise<void> | undefined

  async function run ({ signal }: AbortController): Promise<void> {
    store = openRegistry()
    while (!signal.aborted) {
      try {
        // The second tab of a customer is the one that is seen.
        relay = await startRelay({ ...node, registry: store.registry, takeover: true, log })
        return
      } catch (error) {
        log.debug({ node: node.id, reason: String(error) }, 'relay node cannot register yet')
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
      }
    }
  }

  /** @param isSudden neither the clients nor the registry are told */
  async function end (isSudden: boolean): Promise<void> {
    ending.abort()
    if (isSudden) {
      relay?.cut()
      store?.cut()
    }
    const [ended, before] = [starting, store]
    starting = store = undefined
    await ended
    const gone = relay
    relay = undefined
    await gone?.close()
    await before?.close()
  }

  return {
    id: node.id,
    wssUrl: node.wssUrl,
    get relay () {
      return relay
    },
    state: () => relay?.status().state ?? (starting === undefined ? 'stopped' : 'starting'),
    start () {
      if (starting !== undefined) return
      ending = new AbortController()
      starting = run(ending)
    },
    registered: async () => await starting,
    stop: async () => await end(true),
    close: async () => await end(false)
  }
}
