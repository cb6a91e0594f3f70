import { createRelaySlot } from './relay-slot.js'
import { listenForUpgrades } from './upgrade.js'
import type { Server } from 'node:http'
import type { RelaySlot, SlotOptions } from './relay-slot.js'

export interface Relays {
  add (node: Pick<SlotOptions, 'id' | 'wssUrl' | 'wssUrlOut'>): void
  all (): RelaySlot[]
  listen (server: Server): void
  close (): Promise<void>
}

/** The relay nodes of this process, told apart by the path of the WebSocket. */
export function createRelays (options: Pick<SlotOptions, 'openRegistry' | 'signing' | 'log'>): Relays {
  const slots = new Map<string, RelaySlot>()
  return {
    add (node) {
      const slot = createRelaySlot({ ...node, ...options })
      slots.set(new URL(node.wssUrl).pathname, slot)
      slot.start()
    },
    all: () => [...slots.values()],
    listen (server) {
      listenForUpgrades(server, (request, socket, head) => {
        const relay = slots.get(new URL(request.url ?? '/', 'ws://relay').pathname)?.relay
        if (relay !== undefined) return relay.upgrade(request, socket, head)
        socket.on('error', () => socket.destroy())
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      })
    },
    async close () {
      await Promise.all([...slots.values()].map(async (slot) => await slot.close()))
    }
  }
}
