import { handleUpgrades } from '../../lib/relay/index.js'
import { createRelaySlot } from './slot.js'
import type { Server } from 'node:http'
import type { DrainOptions } from '../../lib/node/index.js'
import type { RelaySlot, SlotOptions } from './slot.js'

export interface Relays {
  /** Starts a node on a server that listens. */
  add (server: Server, node: Pick<SlotOptions, 'id' | 'wssUrl' | 'wssUrlOut'>): void
  all (): RelaySlot[]
  /** Resolves once every node has registered. */
  registered (): Promise<void>
  /** Resolves once every node has left the registry and its clients are told to ask again. */
  drain (options: DrainOptions): Promise<void>
  close (): Promise<void>
}

/** The relay nodes of this process, told apart by the path of the WebSocket. */
export function createRelays (options: Pick<SlotOptions, 'openRegistry' | 'signing' | 'metrics' | 'log'>): Relays {
  const slots: RelaySlot[] = []
  const ofAll = async (work: (slot: RelaySlot) => Promise<unknown>) => {
    await Promise.all(slots.map(work))
  }

  return {
    add (server, node) {
      const slot = createRelaySlot({ ...node, ...options })
      slots.push(slot)
      handleUpgrades(server, new URL(node.wssUrl).pathname, () => slot.relay)
      slot.start()
    },
    all: () => slots,
    registered: async () => await ofAll(async (slot) => await slot.registered()),
    drain: async (options) => await ofAll(async ({ relay }) => await relay?.drain(options)),
    close: async () => await ofAll(async (slot) => await slot.close())
  }
}
