import { systemClock } from '../common/clock.js'
import { withDeadline } from '../common/deadline.js'
import type { NodeOrder } from '../../types/operations.js'
import type { Registry } from '../../types/registry.js'

/** @returns the orders by the ids of the nodes; undefined if the registry has none, or cannot be asked in time */
export type ReadOrders = (registry: Registry) => Promise<ReadonlyMap<string, NodeOrder> | undefined>

/** Several gauges, and several Prometheus servers, share one reading. */
const KEEP_MS = 10_000
/** A store that hangs must not hold a scrape up: the other metrics would be missing when they are needed most. */
const LIMIT_MS = 1000

export function createReadOrders (): ReadOrders {
  const readings = new WeakMap<Registry, { endsAt: number, orders: ReturnType<ReadOrders> }>()

  return async (registry) => {
    const { state } = registry.status()
    if (state !== 'up' && state !== 'degraded') return undefined
    const held = readings.get(registry)
    if (held !== undefined && performance.now() < held.endsAt) return await held.orders
    const orders = readInTime(registry)
    readings.set(registry, { endsAt: performance.now() + KEEP_MS, orders })
    return await orders
  }
}

async function readInTime ({ operations }: Registry): ReturnType<ReadOrders> {
  if (operations === undefined) return undefined
  try {
    return await withDeadline({ clock: systemClock, ms: LIMIT_MS }, async () => await operations.orders())
  } catch {
    // The state of the registry has metrics of its own.
    return undefined
  }
}
