import { parseOrder } from '../nodes/node-order.js'
import { ensurePath } from './layout.js'
import { ZooKeeperError } from '../../zookeeper-client/error.js'
import type { CallOptions, ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { NodeOrder } from '../../../types/operations.js'
import type { ZooKeeperLayout } from './layout.js'

/** The ids under an order. A gateway must give no new room to such a node, however old its view is. */
export interface OrderedIds {
  has (id: string): boolean
  /** Reads the ids if an order changed since the latest reading. */
  refresh (options: CallOptions): Promise<void>
  /** Operations that fail if an order changed since the latest reading. */
  check (): ZooKeeperOp[]
}

export function createOrderedIds (client: ZooKeeperClient, layout: ZooKeeperLayout): OrderedIds {
  let version: number | undefined
  let ids = new Set<string>()

  async function read (options: CallOptions): Promise<void> {
    const parent = await client.exists(layout.orders, options)
    if (parent === undefined) {
      await ensurePath(client, layout.orders, options)
      return await read(options)
    }
    if (parent.version === version) return
    // In this order: if an order changes in between, the version is too old, and the check fails.
    const children = await client.children(layout.orders, options) ?? []
    ids = new Set(children.map(idOf))
    version = parent.version
  }

  return {
    has: (id) => ids.has(id),
    async refresh (options) {
      await read(options).catch(ignoreDenial)
    },
    check: () => version === undefined ? [] : [{ type: 'check', path: layout.orders, version }]
  }
}

/** The order for one node, read again only after a change. */
export function createOwnOrder (client: ZooKeeperClient, layout: ZooKeeperLayout) {
  let version: number | undefined
  let order: NodeOrder | null = null

  return async function ownOrder (id: string, options: CallOptions): Promise<NodeOrder | null> {
    const parent = await client.exists(layout.orders, options)
    if (parent !== undefined && parent.version !== version) {
      const found = await client.get(layout.orderPath(id), options)
      order = found === undefined ? null : parseOrder(found.data.toString())
      version = parent.version
    }
    return order
  }
}

/** The name of a znode ends with a suffix: see the layout. */
export const idOf = (child: string): string => child.slice(0, -1)

/** Who may not see the orders has none: its administrator gave it no such right. */
function ignoreDenial (error: unknown): void {
  if (!(error instanceof ZooKeeperError && error.code === 'NO_AUTH')) throw error
}
