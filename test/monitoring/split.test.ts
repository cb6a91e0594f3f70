import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { joinCobrowse } from '../../lib/node/index.js'
import { signing } from '../support/build-app.js'
import { issuerWith } from '../support/issuer.js'
import { connect, FAST, makeRegistry, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import type { NodeView } from '../../types/index.js'

const ROOM = { tenant: 't', room: 'r' }
const issue = issuerWith(signing)

t.test('an open room – its binding deleted in Redis, and the room given to another node – counts as lost without a lapse', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await skipSettling(redis)
  // Leases that no busy machine lets expire.
  const registry = makeRegistry(t, redis, { ...FAST, lease: 30_000, linger: 20 })
  const metrics = new PromRegistry()
  const join = async (id: string) => {
    const node = await joinCobrowse({ registry, id, wssUrl: `wss://${id}.example/ws`, signing, metrics })
    t.teardown(async () => await node.close())
    return node
  }
  const first = await join('n1')
  const seat = await first.admit(issue({ ...ROOM, user: 'u', name: 'U', role: 'recorder', node: first, issuedAt: Date.now() }))
  await join('n2')

  // The node may be first to repeat its claim.
  await until(async () => {
    await redis.del(await redis.keys('*:room:*'))
    const selectNode = (nodes: readonly NodeView[]) => nodes.filter(({ id }) => id === 'n2')
    return (await registry.assign(ROOM, { selectNode })).node.id === 'n2'
  }, 'the room to be bound to the second node')

  t.match(await seat.ended, { code: 4410 })
  const text = await metrics.metrics()
  t.match(text, 'cobrowse_node_rooms_lost_total{node="n1"} 1')
  t.match(text, 'cobrowse_node_lapses_total{node="n1"} 0')
})
