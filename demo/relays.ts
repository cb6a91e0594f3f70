import { setTimeout as sleep } from 'node:timers/promises'
import { startRelay } from './relay.js'
import { listenForUpgrades } from './upgrade.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Server } from 'node:http'
import type { Relay, RelayOptions } from './relay.js'

const RETRY_MS = 500

export interface Relays {
  /** Registers a relay node, now or as soon as the registry can be reached. */
  add (node: Pick<RelayOptions, 'id' | 'path' | 'wssUrl'>): void
  listen (server: Server): void
  close (): Promise<void>
}

/** The relay nodes of this process, told apart by the path of the WebSocket. */
export function createRelays (
  { registry, signing, log }: Pick<RelayOptions, 'registry' | 'signing'> & { log: FastifyBaseLogger }
): Relays {
  const relays = new Map<string, Relay>()
  const stop = new AbortController()
  const starting: Array<Promise<void>> = []

  async function start (node: Pick<RelayOptions, 'id' | 'path' | 'wssUrl'>): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        relays.set(node.path, await startRelay({ ...node, registry, signing }))
        return
      } catch (error) {
        log.debug({ node: node.id, reason: String(error) }, 'relay node cannot register yet')
        await sleep(RETRY_MS, undefined, { signal: stop.signal }).catch(() => {})
      }
    }
  }

  return {
    add (node) {
      starting.push(start(node))
    },
    listen (server) {
      listenForUpgrades(server, (request, socket, head) => {
        const relay = relays.get(new URL(request.url ?? '/', 'ws://relay').pathname)
        if (relay !== undefined) return relay.upgrade(request, socket, head)
        socket.on('error', () => socket.destroy())
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      })
    },
    async close () {
      stop.abort()
      await Promise.all(starting)
      await Promise.all([...relays.values()].map(async (relay) => await relay.close()))
    }
  }
}
