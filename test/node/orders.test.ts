import t from 'tap'
import { createFakeClock } from './fake-clock.js'
import { createFakeMembership } from './fake-membership.js'
import { startNode, watch } from './start-node.js'
import type { NodeOrder } from '../../types/operations.js'
import type { NodeParts } from '../../lib/node/node.js'
import type { FakeMembership } from './fake-membership.js'

const CORDON: NodeOrder = { kind: 'cordon', reason: 'disk is full', author: 'anna', at: 1 }
const drainAt = (at: number): NodeOrder =>
  ({ kind: 'drain', reason: 'new kernel', author: 'li', at, deadline: 60_000, returnWithin: 2000 })

/** A node whose store remembers the order, and rejects as many new registrations as the test says. */
async function startOrdered (given?: NodeOrder) {
  const store: { order: NodeOrder | undefined, rejections: number } = { order: given, rejections: 0 }
  const clock = createFakeClock()
  const memberships: FakeMembership[] = []
  const join: NodeParts['join'] = async (record) => {
    if (store.rejections-- > 0) throw new Error('the registry is away')
    const joined = createFakeMembership(record, clock.wall)
    joined.order = store.order
    memberships.push(joined)
    return joined
  }
  const started = await startNode({}, { join }, clock)
  const heard: Array<string | undefined> = []
  started.node.on('ordered', (order) => heard.push(order?.kind))

  function give (order: NodeOrder | undefined): void {
    store.order = order
    memberships.at(-1)?.give(order)
  }
  return { ...started, clock, store, memberships, heard, give }
}

t.test('a cordon – keeps the clients, and shows in the status', async (t) => {
  const { node, clock, memberships, heard, give, admit } = await startOrdered()
  const seat = watch(await admit())
  give(CORDON)
  await clock.pass(3_600_000)
  t.match(node.status(), { state: 'cordoned', seats: 1, order: CORDON })
  t.equal(seat.end, undefined)
  give(undefined)
  t.equal(node.status().state, 'serving')
  t.notOk('order' in node.status())
  t.strictSame(heard, ['cordon', undefined])
  t.strictSame(memberships.length, 1)
})

t.test('a drain – clients are left at the deadline – disconnects them, and registers anew without rooms', async (t) => {
  const { node, clock, memberships, give, admit, attempt } = await startOrdered()
  const seat = watch(await admit())
  const [first] = memberships
  give(drainAt(clock.wall() - 20_000))
  await clock.pass(39_000)
  t.match(node.status(), { state: 'draining', seats: 1 })
  t.equal(await attempt({ role: 'replayer' }), 'in', 'the other side still comes in')
  await clock.pass(1000)
  t.strictSame(seat.end, { code: 4410, reason: 'the node is leaving: ask again within 2000 ms' })
  t.strictSame(first?.calls.at(-1), 'leave', 'the registry is told first')
  t.equal(memberships.length, 2)
  t.match(node.status(), { state: 'draining', rooms: 0, seats: 0 })
  await clock.pass(3_600_000)
  t.equal(memberships.length, 2, 'each order is followed once')
  give(undefined)
  t.equal(node.status().state, 'serving')
})

t.test('a drain – the last client leaves before the deadline – registers anew at once', async (t) => {
  const { clock, memberships, give, admit } = await startOrdered()
  const seat = await admit()
  give(drainAt(clock.wall()))
  await clock.pass(10)
  seat.leave()
  await clock.pass(0)
  t.equal(memberships.length, 2)
  t.equal(clock.alarms(), 0)
})

t.test('a drain – a node without clients – registers anew, since assigned rooms would bring some', async (t) => {
  const { clock, memberships, give } = await startOrdered()
  give(drainAt(clock.wall()))
  await clock.pass(0)
  t.equal(memberships.length, 2)
})

t.test('a drain – taken back, or replaced by a cordon, before the deadline – ends', async (t) => {
  for (const next of [undefined, CORDON]) {
    const { node, clock, memberships, give, admit } = await startOrdered()
    const seat = watch(await admit())
    give(drainAt(clock.wall()))
    await clock.pass(59_000)
    give(next)
    await clock.pass(3_600_000)
    t.equal(seat.end, undefined)
    t.equal(node.status().state, next === undefined ? 'serving' : 'cordoned')
    t.equal(memberships.length, 1)
  }
})

t.test('a drain – a later order – has the later deadline', async (t) => {
  const { clock, give, admit } = await startOrdered()
  const seat = watch(await admit())
  give(drainAt(clock.wall()))
  await clock.pass(30_000)
  give(drainAt(clock.wall()))
  await clock.pass(59_000)
  t.equal(seat.end, undefined)
  await clock.pass(1000)
  t.equal(seat.end?.code, 4410)
})

t.test('a drain – the registry is away at the end – tries to register again until it can', async (t) => {
  const { node, clock, store, memberships, give } = await startOrdered()
  store.rejections = 3
  give(drainAt(clock.wall()))
  await clock.pass(2500)
  t.equal(memberships.length, 1)
  t.equal(node.status().state, 'draining')
  await clock.pass(1000)
  t.equal(memberships.length, 2)
})

t.test('a process that starts under an order – has no rooms that would have to leave', async (t) => {
  const { node, clock, memberships } = await startOrdered(drainAt(createFakeClock().wall()))
  await clock.pass(100_000)
  t.equal(memberships.length, 1)
  t.equal(node.status().state, 'draining')
})

t.test('the program – drains during a drain by order – leaves for good', async (t) => {
  const { node, clock, memberships, give, admit } = await startOrdered()
  const seat = await admit()
  give(drainAt(clock.wall()))
  const drained = node.drain()
  await clock.pass(10)
  t.strictSame(memberships[0]?.calls.slice(-1), ['drain'])
  seat.leave()
  await clock.pass(10_000)
  t.equal(await drained, true)
  t.equal(node.status().state, 'drained')
  t.equal(memberships.length, 1)
})

t.test('the program – drains while the node cannot register again – stays away', async (t) => {
  const { node, clock, store, memberships, give } = await startOrdered()
  store.rejections = 1
  give(drainAt(clock.wall()))
  await clock.pass(500)
  t.equal(await node.drain(), true)
  await clock.pass(10_000)
  t.equal(memberships.length, 1)
  t.equal(node.status().state, 'drained')
})

t.test('the program – undrains – does not end an order', async (t) => {
  const { node, clock, give, admit } = await startOrdered()
  const seat = watch(await admit())
  give(drainAt(clock.wall()))
  await node.undrain()
  t.equal(node.status().state, 'draining')
  await clock.pass(60_000)
  t.equal(seat.end?.code, 4410)
})

t.test('the program – drains during an ordered drain, and undrains – leaves the order in force', async (t) => {
  const { node, clock, memberships, give, admit } = await startOrdered()
  const seat = watch(await admit())
  give(drainAt(clock.wall()))
  const drained = node.drain({ deadline: 3_600_000 })
  await clock.pass(10)
  await node.undrain()
  t.equal(await drained, false)
  t.equal(node.status().state, 'draining')
  await clock.pass(60_000)
  t.equal(seat.end?.code, 4410)
  t.equal(memberships.length, 2, 'it is registered again')
})

t.test('an order – the program drains – does not change that', async (t) => {
  const { node, clock, memberships, give, admit } = await startOrdered()
  const seat = await admit()
  const drained = node.drain()
  await clock.pass(10)
  give(drainAt(clock.wall()))
  give(undefined)
  t.equal(node.status().state, 'draining')
  seat.leave()
  await clock.pass(10)
  t.equal(await drained, true)
  t.equal(memberships.length, 1)
})
