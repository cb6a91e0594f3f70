import t from 'tap'
import { joinCobrowse } from '../../lib/node/index.js'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { zookeeperRegistry } from '../../lib/registry/zookeeper.js'
import { issuerWith } from '../support/issuer.js'
import { connect, makeRegistry, patient, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { eventually, until } from '../support/until.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { watch } from './start-node.js'
import type { Test } from 'tap'
import type { CobrowseNode, NodeOptions } from '../../lib/node/index.js'
import type { Registry } from '../../types/registry.js'
import type { Role } from '../../types/role.js'

const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
const issue = issuerWith(signing)

/** A gateway and the nodes of one registry. */
function createDeployment (t: Test, registry: Registry) {
  async function join (id: string, options: Partial<NodeOptions> = {}): Promise<CobrowseNode> {
    const node = await joinCobrowse({ registry, id, wssUrl: `wss://${id}.example/ws`, signing, ...options })
    t.teardown(async () => await node.close())
    return node
  }
  async function ask (room: string, role: Role = 'recorder') {
    const { node, issuedAt } = await registry.assign({ tenant: 't', room })
    return { id: node.id, signature: issue({ tenant: 't', room, user: 'u', name: 'U', role, node, issuedAt }) }
  }
  /** Asks again, as a client does, until it has a seat. */
  async function enter (room: string, role: Role, ...nodes: CobrowseNode[]) {
    return await until(async () => {
      const { id, signature } = await ask(room, role)
      const node = nodes.find((node) => node.id === id)
      return await node?.admit(signature).then((seat) => ({ id, watched: watch(seat) }), () => undefined)
    }, `a seat in ${room}`)
  }
  return { join, ask, enter }
}

type Entered = Awaited<ReturnType<ReturnType<typeof createDeployment>['enter']>>

const endOf = async ({ watched }: Entered) => (await until(() => watched.end, 'the end of a seat')).code

const refusal = async (node: CobrowseNode, signature: string) =>
  await node.admit(signature).then(() => 'in', ({ closeCode }) => closeCode)

async function testDeployment (t: Test, registry: Registry) {
  const { join, ask, enter } = createDeployment(t, registry)
  const first = await join('n1')
  const seat = await enter('r', 'recorder', first)
  const second = await join('n2')
  t.equal((await ask('r', 'replayer')).id, 'n1')
  t.equal(await refusal(second, (await ask('r')).signature), 4401, 'a signature is for one node')

  const before = await ask('r', 'replayer')
  await registry.end?.({ tenant: 't', room: 'r' })
  t.equal(await endOf(seat), 4410, 'the end of the call reaches the node')
  t.equal(await refusal(first, before.signature), 4410, 'signatures issued before the end are rejected')
  const again = await enter('r', 'recorder', first, second)
  t.equal(again.id, 'n1', 'its node keeps a lingering room')

  t.equal(await first.drain({ deadline: 0 }), true)
  t.equal(await endOf(again), 4410)
  t.equal((await enter('r', 'recorder', first, second)).id, 'n2', 'the next request gets another node')
  await first.undrain()
  t.equal(first.status().state, 'serving')

  const moved = await enter('r', 'replayer', first, second)
  const successor = await join('n2')
  t.equal(await endOf(moved), 4410)
  t.equal(second.status().state, 'replaced')
  t.equal(successor.status().state, 'serving')
  await second.close()
  t.equal(successor.valid(), true, 'the end of the old node leaves its successor alone')
}

/** Drains a node by an order while its rooms are in use. */
async function testOrder (t: Test, registry: Registry) {
  const { join, ask, enter } = createDeployment(t, registry)
  const first = await join('n1')
  const seats = await Promise.all(Array.from({ length: 20 }, async (_value, at) =>
    await Promise.all((['recorder', 'replayer'] as const).map(async (role) => await enter(`r${at}`, role, first)))))
  const before = await ask('r0')
  const second = await join('n2')

  await registry.operations?.setOrder('n1', {
    kind: 'drain', reason: 'new kernel', author: 'anna', deadline: 0, returnWithin: 500
  })
  for (const seat of seats.flat()) t.equal(await endOf(seat), 4410)
  await until(() => first.status().state === 'draining' && first.valid(), 'the node is registered again')
  t.equal(await refusal(first, before.signature), 4401, 'a signature from before the drain')
  for (const [at] of seats.entries()) {
    const again = await Promise.all((['recorder', 'replayer'] as const).map(async (role) =>
      (await enter(`r${at}`, role, first, second)).id))
    t.strictSame(again, ['n2', 'n2'], 'both sides meet on another node')
  }
  t.match(first.status(), { rooms: 0, seats: 0, order: { reason: 'new kernel' } })

  await registry.operations?.setOrder('n1', null)
  await until(() => first.status().state === 'serving', 'the node serves again')
  await second.drain({ deadline: 0 })
  t.equal((await enter('r0', 'recorder', first)).id, 'n1')
}

t.test('two nodes and a gateway – on the memory registry – admit, move and end calls', async (t) => {
  await testDeployment(t, memoryRegistry())
})

t.test('a drain by order – on the memory registry – moves every room', async (t) => {
  await testOrder(t, memoryRegistry())
})

t.test('a drain by order – on Redis – moves every room', { skip: withoutRedis }, async (t) => {
  const redis = connect(t, (await startRedis(t)).port)
  await skipSettling(redis)
  await testOrder(t, makeRegistry(t, redis, { linger: 20 }))
})

t.test('a drain by order – on ZooKeeper – moves every room', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const registry = zookeeperRegistry({ hosts })
  t.teardown(async () => await registry.close())
  await testOrder(t, patient(registry))
})

t.test('two nodes and a gateway – on Redis – admit, move and end calls', { skip: withoutRedis }, async (t) => {
  const redis = connect(t, (await startRedis(t)).port)
  await skipSettling(redis)
  await testDeployment(t, makeRegistry(t, redis, { linger: 20 }))
})

t.test('a Redis that stands still – separates no clients', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const { join, ask, enter } = createDeployment(t, makeRegistry(t, redis, { linger: 20 }))
  const node = await join('n', { patience: 200 })
  const recorder = await enter('r', 'recorder', node)
  const replayer = await enter('r', 'replayer', node)
  const alone = await enter('r2', 'recorder', node)
  const { signature } = await ask('r')

  server.pause()
  await eventually(() => node.status().state, 'lapsed', 'the lapse')
  t.equal(await endOf(alone), 4410, 'a client alone is disconnected')
  t.equal(await refusal(node, signature), 4410)
  recorder.watched.ticket.leave()
  const reloaded = watch(await node.admit(issue({
    tenant: 't', room: 'r', user: 'u', name: 'U', role: 'recorder', node, issuedAt: Date.now(), joinOnly: true
  })))

  server.resume()
  await eventually(() => node.status().state, 'serving', 'the return')
  await enter('r', 'replayer', node)
  t.equal(node.status().seats, 3)
  t.strictSame([reloaded.end, replayer.watched.end], [undefined, undefined])
})
