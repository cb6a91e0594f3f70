import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { createReadOrders } from '../../lib/gateway/read-orders.js'
import { memoryRegistry } from '../../lib/index.js'
import { buildApp } from '../support/build-app.js'
import { connect, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { eventually } from '../support/until.js'
import type { RegistryOperations } from '../../types/operations.js'

const WHY = { reason: 'new kernel', author: 'anna' }
const DAY_MS = 86_400_000

/** A registry whose orders are read by this function. */
function registryWith (orders: RegistryOperations['orders']) {
  const registry = memoryRegistry()
  return { ...registry, ...registry.operations && { operations: { ...registry.operations, orders } } }
}

async function ordersShown (metrics: PromRegistry): Promise<string[]> {
  const text = await metrics.metrics()
  return text.split('\n').filter((line) => line.startsWith('cobrowse_order')).sort()
}

t.test('metrics – orders of operators – show their number and age, and name neither author nor reason', async (t) => {
  const metrics = new PromRegistry()
  const at = Date.now() - DAY_MS
  const registry = registryWith(async () => new Map([['n1', { kind: 'drain', at, ...WHY }]]))
  await buildApp(t, { options: { metrics, registry } })
  await buildApp(t, { options: { metrics, registry } })
  t.match(await ordersShown(metrics), [
    /^cobrowse_order_age_seconds\{node="n1",kind="drain"\} 864\d\d(\.\d+)?$/,
    'cobrowse_orders{kind="cordon"} 0',
    'cobrowse_orders{kind="drain"} 1'
  ], 'two instances with one registry count its orders once')
  t.notMatch(await metrics.metrics(), /anna|new kernel/)
})

t.test('metrics – without orders, and with a registry that has none – differ', async (t) => {
  const { operations, ...without } = memoryRegistry()
  for (const [registry, expected] of [
    [memoryRegistry(), ['cobrowse_orders{kind="cordon"} 0', 'cobrowse_orders{kind="drain"} 0']],
    [without, []]
  ] as const) {
    const metrics = new PromRegistry()
    await buildApp(t, { options: { metrics, registry } })
    t.strictSame(await ordersShown(metrics), expected)
  }
})

t.test('scrapes – many, of two gauges each – read the orders once', async (t) => {
  const metrics = new PromRegistry()
  let reads = 0
  const registry = registryWith(async () => {
    reads++
    return new Map()
  })
  await buildApp(t, { options: { metrics, registry } })
  await Promise.all(Array.from({ length: 5 }, async () => await metrics.metrics()))
  await metrics.metrics()
  t.equal(reads, 1)
})

t.test('orders – of a registry that hangs, fails or is down – are absent, and hold no scrape up', async (t) => {
  let reads = 0
  const hangs = registryWith(async () => await new Promise(() => {}))
  const fails = registryWith(async () => { throw new Error('no rights') })
  const down = {
    ...registryWith(async () => {
      reads++
      return new Map()
    }),
    status: () => ({ state: 'down' as const, since: 0 })
  }
  const readOrders = createReadOrders()
  const startedAt = performance.now()
  for (const registry of [hangs, fails, down]) t.equal(await readOrders(registry), undefined)
  t.ok(performance.now() - startedAt < 10_000)
  t.equal(reads, 0, 'a registry that is down is not asked')
  const metrics = new PromRegistry()
  await buildApp(t, { options: { metrics, registry: hangs } })
  t.match(await metrics.metrics(), 'cobrowse_ready 1', 'the other metrics are there')
  t.strictSame(await ordersShown(metrics), [])
})

t.test('orders – on Redis, paused – are shown, and then absent', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  await skipSettling(connect(t, redis.port))
  const registry = makeRegistry(t, connect(t, redis.port), { linger: 20 })
  await registry.operations?.setOrder('n1', { kind: 'cordon', ...WHY })
  const metrics = new PromRegistry()
  await buildApp(t, { options: { metrics, registry } })
  await eventually(async () => (await ordersShown(metrics)).join('\n'), /node="n1",kind="cordon"\} \d/)
  redis.pause()
  t.teardown(() => redis.resume())
  await eventually(async () => await ordersShown(metrics), [], 'no order is shown')
})
