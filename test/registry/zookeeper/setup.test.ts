import t from 'tap'
import { systemClock } from '../../../lib/common/clock.js'
import { createZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import { startToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import { watch } from '../../support/redis-registry.js'
import { eventually, until } from '../../support/until.js'
import { makeHastyRegistry, makeRegistry, newRoot } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'

t.test('unusual setups of a deployment', { skip: withoutZooKeeper }, async (t) => {
  const { hosts, port } = await startZooKeeper(t)

  t.test('a record that the gateway may not read – costs its node only', async (t) => {
    const root = newRoot()
    const gateway = makeRegistry(t, hosts, { root })
    const { states, warnings } = watch(gateway)
    await makeRegistry(t, hosts, { root }).join(nodeRecord('n1'))
    const stranger = createZooKeeperClient({ hosts, auth: 'other:words', sessionTimeout: 2000, clock: systemClock, log: () => undefined })
    t.teardown(async () => await stranger.close())
    stranger.start()
    await eventually(() => stranger.state(), 'connected')
    t.equal(await stranger.create(`${root}/nodes/n2~x`, Buffer.from('{}'), { ephemeral: true }), 'ok')
    await makeRegistry(t, hosts, { root }).join(nodeRecord('n3'))
    await eventually(() => gateway.nodes().length, 2)
    t.strictSame(gateway.nodes().map(({ id }) => id).sort(), ['n1', 'n3'])
    t.equal(gateway.status().state, 'up')
    t.match(warnings, [{ node: 'n2', reason: /is missing/ }])
    t.match(states.at(-1), { state: 'up' })
    t.ok((await gateway.assign(newRoom())).node.id)
  })

  t.test('a node behind a slow line – joins as the first, although its parent znodes have to be created', async (t) => {
    const proxy = await startToxicProxy({ port })
    t.teardown(async () => await proxy.close())
    // The delay exceeds the timeout of a gateway, and fits all requests that a join makes one after the other.
    proxy.delay(180)
    const registry = makeHastyRegistry(t, `127.0.0.1:${proxy.port}`, { root: newRoot(), sessionTimeout: 6000 })
    const startedAt = performance.now()
    const member = await registry.join(nodeRecord('n1'))
    t.comment(`joined after ${Math.round(performance.now() - startedAt)} ms`)
    // The next heartbeat is awaited, since most of the first lease is spent on the line.
    await until(() => member.valid())
  })

  t.test('a missing chroot – is named', async (t) => {
    const gateway = makeRegistry(t, `${hosts}/nowhere`)
    watch(gateway)
    const words = 'the path after the servers in "hosts" does not exist: create it'
    await until(() => gateway.status().reason === words)
    t.equal(gateway.status().state, 'degraded')
    await t.rejects(gateway.assign(newRoom()), { statusCode: 503, cause: { message: words } })
    await t.rejects(gateway.join(nodeRecord('n1')), { statusCode: 503, cause: { message: words } })
  })

  t.test('a start – logs only that the registry is up', async (t) => {
    const { states } = watch(makeRegistry(t, hosts, { root: newRoot() }))
    await until(() => states.some(({ state }) => state === 'up'))
    t.strictSame(states.map(({ state }) => state), ['starting', 'up'])
  })
})
