import { createRelaySlot } from './slot.js'
import { listenForUpgrades, refuseUpgrade } from './upgrade.js'
import type { Server } from 'node:http'
import type { DrainOptions } from '../../lib/node/index.js'
import type { RelaySlot, SlotOptions } from './slot.js'

/** Makes a URL of a target that is only a path. */
const BASE = 'ws://relay'

export interface Relays {
  add (node: Pick<SlotOptions, 'id' | 'wssUrl' | 'wssUrlOut'>): void
  all (): RelaySlot[]
  listen (server: Server): void
  /** Resolves once every node has left the registry and its clients are told to ask again. */
  drain (options: DrainOptions): Promise<void>
  close (): Promise<void>
}

/** The relay nodes of this process, told apart by the path of the WebSocket. */
export function createRelays (options: Pick<SlotOptions, 'openRegistry' | 'signing' | 'metrics' | 'log'>): Relays {
  const slots = new Map<string, RelaySlot>()
  const ofAll = async (work: (slot: RelaySlot) => Promise<unknown>) => {
    await Promise.all([...slots.values()].map(work))
  }

  return {
    add (node) {
      const slot = createRelaySlot({ ...node, ...options })
      slots.set(new URL(node.wssUrl).pathname, slot)
      slot.start()
    },
    all: () => [...slots.values()],
    listen (server) {
      listenForUpgrades(server, (request, socket, head) => {
        const relay = slots.get(pathOf(request.url ?? '/'))?.relay
        if (relay === undefined) refuseUpgrade(socket, '404 Not Found')
        else relay.upgrade(request, socket, head)
      })
    },
    drain: async (options) => await ofAll(async ({ relay }) => await relay?.drain(options)),
    close: async () => await ofAll(async (slot) => await slot.close())
  }
}

/** Path of a request target, which any caller chooses: some, such as `//`, are no URL and have no path. */
function pathOf (target: string): string {
  return URL.canParse(target, BASE) ? new URL(target, BASE).pathname : ''
}
