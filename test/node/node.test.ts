import t from 'tap'
import { ROOM, startNode, watch } from './start-node.js'
import { createFakeClock } from './fake-clock.js'
import { createFakeMembership } from './fake-membership.js'
import type { Membership } from '../../types/registry.js'

const never = async () => await new Promise<never>(() => {})

/** State of a promise so far. */
function follow<T> (promise: Promise<T>) {
  const state: { value?: T, error?: Error } = {}
  promise.then((value) => { state.value = value }, (error) => { state.error = error })
  return state
}

t.test('a draining node – gets no new rooms, and leaves with its last client', async (t) => {
  const { node, clock, membership, admit, attempt } = await startNode()
  const seat = await admit()
  const drained = follow(node.drain())
  t.strictSame(membership().calls, ['claim t/r', 'drain'])
  t.equal(node.status().state, 'draining')
  t.equal(node.valid(), true)
  t.equal(await attempt({ role: 'replayer' }), 'in', 'an assigned room is admitted')
  t.equal(await attempt({ room: 'r2' }), 'in')
  seat.leave()
  await clock.pass(1000)
  t.match(drained, { value: undefined })
  t.match(node.status(), { state: 'draining', rooms: 2, seats: 2 })
})

t.test('a draining node – last client gone before the deadline – leaves', async (t) => {
  const { node, clock, membership, admit, attempt } = await startNode()
  const seat = await admit()
  const drained = follow(node.drain({ deadline: 60_000 }))
  await clock.pass(10)
  seat.leave()
  await clock.pass(0)
  t.strictSame(drained, { value: true })
  t.equal(node.status().state, 'drained')
  t.strictSame(membership().calls.slice(-2), ['release t/r', 'leave'])
  t.equal(await attempt(), 4410)
  t.equal(await attempt({ joinOnly: true }), 4410)
  t.equal(await node.drain(), true, 'draining again changes nothing')
  t.equal(clock.alarms(), 0)
})

t.test('clients inside at the deadline – are told over which time span to return', async (t) => {
  const { node, clock, admit } = await startNode()
  const told = follow((await admit()).ended)
  node.drain({ deadline: 1000, returnWithin: 2000 })
  await clock.pass(1000)
  t.strictSame(told.value, { code: 4410, reason: 'the node is leaving: ask again within 2000 ms' })
  await node.undrain()
  const again = follow((await admit()).ended)
  await node.drain({ deadline: 0 })
  t.strictSame(again.value, { code: 4410, reason: 'the node is leaving: ask again' }, 'no time span if none is requested')
  await t.rejects(node.drain({ returnWithin: -1 }), { message: /"returnWithin" option of drain must be an integer/ })
})

t.test('an empty node – leaves at once, except while a client is being admitted', async (t) => {
  const empty = await startNode()
  t.equal(await empty.node.drain(), true)
  t.strictSame(empty.membership().calls, ['leave'])

  const { node, clock, attempt, membership } = await startNode()
  let letThrough = () => {}
  membership().answer = async (grant, room) => {
    await new Promise<void>((resolve) => { letThrough = resolve })
    return grant(room)
  }
  const arriving = attempt()
  await clock.pass(0)
  const drained = follow(node.drain())
  await clock.pass(0)
  letThrough()
  t.equal(await arriving, 'in')
  t.strictSame(drained, {})
})

t.test('a node – at its deadline – leaves the registry first, then disconnects its clients', async (t) => {
  const { node, clock, membership, admit, attempt } = await startNode()
  const seats = [watch(await admit()), watch(await admit({ room: 'r2' }))]
  let gone = () => {}
  membership().work = async (call) => {
    if (call === 'leave') await new Promise<void>((resolve) => { gone = resolve })
  }
  const drained = follow(node.drain({ deadline: 5000 }))
  await clock.pass(4999)
  t.notOk(membership().calls.includes('leave'))
  await clock.pass(1)
  t.ok(membership().calls.includes('leave'))
  t.strictSame(seats.map(({ end }) => end), [undefined, undefined], 'clients may still be sent here until the registry answers')
  t.equal(await attempt({ joinOnly: true }), 4410, 'new clients are rejected')
  gone()
  await clock.pass(0)
  t.match(seats.map(({ end }) => end), [{ code: 4410 }, { code: 4410 }])
  t.strictSame(drained, { value: true })
  t.match(node.status(), { state: 'drained', rooms: 0, seats: 0 })
})

t.test('a deadline of 0 – drains at once – and a new deadline replaces the old', async (t) => {
  const { node, clock, admit } = await startNode()
  const seat = watch(await admit())
  const first = follow(node.drain())
  await clock.pass(100)
  t.equal(await node.drain({ deadline: 0 }), true)
  t.match(seat.end, { code: 4410 })
  await clock.pass(0)
  t.strictSame(first, { value: true })
  // A program without types may pass these.
  for (const deadline of [-1, 1.5, Infinity, '5', null] as number[]) {
    await t.rejects(node.drain({ deadline }), { name: 'TypeError', message: /"deadline" option of drain/ })
  }
  await t.rejects(node.drain({ dedline: 5 } as object), { message: /"dedline" is not an option of drain/ })
})

t.test('undrain – before the deadline – restores the node, and afterwards registers it again', async (t) => {
  const { node, clock, memberships, membership, admit, attempt, happened } = await startNode()
  const seat = await admit()
  const drained = follow(node.drain({ deadline: 1000 }))
  await node.undrain()
  await clock.pass(10_000)
  t.strictSame(drained, { value: false })
  t.equal(node.status().state, 'serving')
  t.strictSame(membership().calls, ['claim t/r', 'drain', 'undrain'])
  await node.undrain()
  t.equal(membership().calls.length, 3, 'a serving node has nothing to undo')

  seat.leave()
  await node.drain()
  await Promise.all([node.undrain(), node.undrain()])
  t.equal(memberships.length, 2, 'once')
  t.equal(node.status().state, 'serving')
  const inside = watch(await admit())
  memberships[0]?.replace()
  t.equal(await attempt({ role: 'replayer' }), 'in', 'events of the old registration are ignored')
  membership().lapse()
  membership().resume()
  membership().lose(ROOM)
  await clock.pass(0)
  t.match(inside.end, { code: 4410 })
  t.strictSame(happened.slice(-5), ['closed t/r', 'opened t/r', 'lapsed', 'resumed', 'closed t/r'])
})

t.test('undrain – while the node leaves – waits, then registers again', async (t) => {
  const { node, clock, memberships, membership } = await startNode()
  membership().work = async (call) => { if (call === 'leave') await never() }
  const drained = follow(node.drain())
  const back = follow(node.undrain())
  await clock.pass(1000)
  t.match([drained, back], [{ value: true }, { error: undefined }])
  t.equal(memberships.length, 2)
  t.equal(node.status().state, 'serving')
})

t.test('a registry that rejects the new registration – leaves the node drained, and undrain may be retried', async (t) => {
  const clock = createFakeClock()
  const joined: Membership[] = []
  let isAway = false
  const { node } = await startNode({}, {
    clock,
    async join (record) {
      if (isAway) throw new Error('away')
      const membership = createFakeMembership(record, clock.wall)
      joined.push(membership)
      return membership
    }
  })
  await node.drain()
  isAway = true
  await t.rejects(node.undrain(), { message: 'away' })
  t.equal(node.status().state, 'drained')
  isAway = false
  await node.undrain()
  t.equal(node.status().state, 'serving')
  t.equal(joined.length, 2)
})

t.test('another process under the same id – ends the node, which does not return', async (t) => {
  const { node, clock, membership, admit, attempt, happened } = await startNode()
  const seat = watch(await admit())
  const drained = follow(node.drain())
  membership().replace()
  await clock.pass(0)
  t.match(seat.end, { code: 4410 })
  t.strictSame(happened, ['opened t/r', 'closed t/r', 'replaced'])
  t.strictSame(drained, { value: true })
  t.match(node.status(), { state: 'replaced', rooms: 0, seats: 0 })
  t.equal(node.valid(), false)
  t.equal(await attempt(), 4410)
  t.equal(await attempt({ joinOnly: true }), 4410)
  await t.rejects(node.undrain(), { message: 'the node is replaced' })
  await node.close()
  t.equal(node.status().state, 'closed')
})

t.test('a node that closes – leaves the registry first, then disconnects its clients, once', async (t) => {
  const { node, clock, membership, admit, attempt } = await startNode()
  const seat = watch(await admit())
  membership().work = async () => {
    await clock.pass(0)
    t.equal(seat.end, undefined)
  }
  await Promise.all([node.close(), node.close()])
  t.match(seat.end, { code: 4410 })
  t.strictSame(membership().calls, ['claim t/r', 'leave'])
  t.equal(node.status().state, 'closed')
  t.equal(node.valid(), false)
  t.equal(await attempt(), 4410)
  t.equal(await node.drain(), true)
  await t.rejects(node.undrain(), { message: 'the node is closed' })
  t.equal(clock.alarms(), 0)
})

t.test('a node – any delay or failure of the registry – never hangs', async (t) => {
  const { node, clock, membership, admit } = await startNode()
  membership().work = never
  const seat = watch(await admit())
  seat.ticket.leave()
  const inside = watch(await admit())
  follow(node.drain())
  const undrained = follow(node.undrain().then(() => 'back'))
  await clock.pass(1000)
  t.strictSame(undrained, { value: 'back' })
  const closed = follow(node.close().then(() => 'closed'))
  await clock.pass(1000)
  t.strictSame(closed, { value: 'closed' })
  t.match(inside.end, { code: 4410 })

  const failing = await startNode()
  failing.membership().work = async () => { throw new Error('away') }
  const last = watch(await failing.admit())
  const first = await failing.admit({ room: 'r2' })
  first.leave()
  failing.node.drain()
  await clock.pass(0)
  t.strictSame(failing.membership().calls.slice(-2), ['release t/r2', 'drain'], 'both failed')
  await failing.node.drain({ deadline: 0 })
  t.match(last.end, { code: 4410 })
  await t.resolves(failing.node.close())
})

t.test('a registration that takes too long – is given up, and left if it succeeds later', async (t) => {
  const clock = createFakeClock()
  const late = createFakeMembership({ id: 'n' }, clock.wall)
  let answer = (_membership: Membership) => {}
  const starting = follow(startNode({}, {
    clock, join: async () => await new Promise<Membership>((resolve) => { answer = resolve })
  }))
  await clock.pass(10_000)
  t.match(starting.error, { name: 'DeadlineError' })
  answer(late)
  await clock.pass(0)
  t.strictSame(late.calls, ['leave'])
})

t.test('a node closed while it registers again – stays closed, and is not left in the registry', async (t) => {
  const clock = createFakeClock()
  const memberships: Array<ReturnType<typeof createFakeMembership>> = []
  let answer = () => {}
  const { node } = await startNode({}, {
    clock,
    async join (record) {
      const membership = createFakeMembership(record, clock.wall)
      memberships.push(membership)
      if (memberships.length > 1) await new Promise<void>((resolve) => { answer = resolve })
      return membership
    }
  })
  await node.drain()
  const undrained = follow(node.undrain())
  await clock.pass(0)
  const closed = follow(node.close().then(() => 'closed'))
  await clock.pass(10)
  t.strictSame(closed, {}, 'the close waits a little')
  answer()
  await clock.pass(0)
  t.match(undrained.error, { message: 'the node is closed' })
  t.strictSame(closed, { value: 'closed' })
  t.strictSame(memberships[1]?.calls, ['leave'])
})
