import t from 'tap'
import { ROOM, startNode, watch } from './start-node.js'
import type { Role } from '../../types/role.js'

const PATIENCE_MS = 2000
const SUSPEND_MS = 600_000
const both: Role[] = ['recorder', 'replayer']

async function startTogether () {
  const started = await startNode()
  const seats = []
  for (const role of both) seats.push(watch(await started.admit({ role })))
  const [recorder, replayer] = seats
  if (recorder === undefined || replayer === undefined) throw new Error('two were admitted')
  return { ...started, recorder, replayer }
}

t.test('two sides of a room – registry unavailable, then back – stay together', async (t) => {
  const { node, clock, happened, membership, recorder, replayer, attempt } = await startTogether()
  membership().lapse()
  t.equal(node.valid(), false)
  t.equal(node.status().state, 'lapsed')
  t.equal(await attempt(), 4410, 'no client enters')
  await clock.pass(SUSPEND_MS - 1)
  t.strictSame([recorder.end, replayer.end], [undefined, undefined])
  membership().resume()
  t.equal(node.status().state, 'serving')
  await clock.pass(2 * SUSPEND_MS)
  t.strictSame([recorder.end, replayer.end], [undefined, undefined])
  t.equal(await attempt(), 'in')
  t.strictSame(happened, ['opened t/r', 'lapsed', 'resumed'])
  t.equal(clock.alarms(), 0)
})

t.test('a client alone behind a shut door – waits only for a while, and a reloaded page finds the other side', async (t) => {
  const { node, clock, happened, membership, recorder, replayer, admit, attempt } = await startTogether()
  membership().lapse()
  await clock.pass(10_000)
  recorder.ticket.leave()
  await clock.pass(PATIENCE_MS - 1)
  t.equal(replayer.end, undefined)
  const reloaded = watch(await admit({ joinOnly: true }))
  await clock.pass(PATIENCE_MS)
  t.strictSame([reloaded.end, replayer.end], [undefined, undefined], 'together again')

  replayer.ticket.leave()
  await clock.pass(PATIENCE_MS - 1)
  t.equal(reloaded.end, undefined, 'the wait starts again')
  await clock.pass(1)
  t.match(reloaded.end, { code: 4410, reason: /ask again/ })
  t.match(node.status(), { rooms: 1, seats: 0 }, 'the room itself stays open')
  t.equal(await attempt(), 4410)
  const back = watch(await admit({ joinOnly: true, role: 'replayer' }))
  t.equal(await attempt({ joinOnly: true, role: 'recorder' }), 'in')
  await clock.pass(10_000)
  t.equal(back.end, undefined)
  t.strictSame(happened.slice(2), ['closed t/r', 'opened t/r'])
})

t.test('two clients of one side – wait for the other side no longer than one client', async (t) => {
  const { clock, membership, admit } = await startNode()
  const seats = [watch(await admit()), watch(await admit())]
  await clock.pass(10_000)
  membership().lapse()
  await clock.pass(PATIENCE_MS - 1)
  t.strictSame(seats.map(({ end }) => end), [undefined, undefined], 'the wait counts from the shut door, not from the arrival')
  await clock.pass(1)
  t.match(seats.map(({ end }) => end), [{ code: 4410 }, { code: 4410 }])
})

t.test('a waiting client – its door reopens in time – stays seated', async (t) => {
  const { clock, membership, admit } = await startNode()
  const alone = watch(await admit())
  membership().lapse()
  await clock.pass(PATIENCE_MS - 1)
  membership().resume()
  membership().lapse()
  await clock.pass(PATIENCE_MS - 1)
  t.equal(alone.end, undefined, 'another lapse starts the wait again')
  membership().resume()
  await clock.pass(100_000)
  t.equal(alone.end, undefined)
  t.equal(clock.alarms(), 0)
})

t.test('a deferred room – until it is held, without notice – stays behind its door', async (t) => {
  const { clock, membership, admit, attempt } = await startNode()
  const r2 = { ...ROOM, room: 'r2' }
  const [first, second] = [watch(await admit()), watch(await admit(r2))]
  membership().lapse()
  await clock.pass(500)
  membership().resume([ROOM, r2])
  membership().open(r2)
  await clock.pass(PATIENCE_MS - 501)
  t.equal(first.end, undefined)
  await clock.pass(1)
  t.match(first.end, { code: 4410 }, 'a client alone behind a door that stays shut')
  t.equal(second.end, undefined)
  await clock.pass(SUSPEND_MS)
  t.equal(second.end, undefined)
  t.equal(await attempt(r2), 'in')
})

t.test('a normal signature – claim of a deferred room granted – opens its door', async (t) => {
  const { clock, membership, recorder, attempt } = await startTogether()
  membership().lapse()
  membership().resume([ROOM])
  membership().answer = () => 'elsewhere'
  t.equal(await attempt(), 4410)
  membership().answer = (grant, room) => grant(room)
  t.equal(await attempt(), 'in')
  await clock.pass(SUSPEND_MS)
  t.equal(recorder.end, undefined)
})

t.test('a room that has moved to another node – is closed, and other rooms stay', async (t) => {
  const { clock, happened, membership, recorder, replayer, admit, attempt } = await startTogether()
  const other = watch(await admit({ room: 'r2' }))
  membership().lapse()
  membership().lose(ROOM)
  membership().resume()
  await clock.pass(0)
  t.match([recorder.end, replayer.end], [{ code: 4410 }, { code: 4410 }])
  t.equal(other.end, undefined)
  t.equal(await attempt({ joinOnly: true }), 4410, 'a reloading page is rejected as well')
  t.strictSame(happened.slice(2), ['lapsed', 'closed t/r', 'resumed'])
  recorder.ticket.leave()
  t.notOk(membership().calls.includes('release t/r'), 'the room belongs to another node')
})

t.test('rooms left by all clients behind a shut door – are released when the registry is back', async (t) => {
  const { node, clock, membership, recorder, replayer, admit, attempt } = await startTogether()
  const deferred = await admit({ room: 'r2' })
  membership().lapse()
  for (const seat of [recorder.ticket, replayer.ticket, deferred]) seat.leave()
  t.notOk(membership().calls.includes('release t/r'))
  t.match(node.status(), { rooms: 2, seats: 0 })
  membership().resume([{ ...ROOM, room: 'r2' }])
  t.strictSame(membership().calls.slice(-2), ['release t/r', 'release t/r2'])
  t.equal(node.status().rooms, 0)
  t.equal(await attempt({ joinOnly: true }), 4410)
  t.equal(clock.alarms(), 0)
})

t.test('a room behind a shut door – time limit over – is closed', async (t) => {
  const { node, clock, membership, recorder, replayer, attempt } = await startTogether()
  membership().lapse()
  await clock.pass(1000)
  membership().resume()
  membership().lapse()
  await clock.pass(SUSPEND_MS - 1)
  t.equal(recorder.end, undefined)
  await clock.pass(1)
  t.match([recorder.end, replayer.end], [{ code: 4410 }, { code: 4410 }])
  t.equal(await attempt({ joinOnly: true }), 4410)
  t.equal(node.status().rooms, 0)
  t.ok(membership().calls.includes('release t/r'), 'the room is released, so that the registry does not claim it again')
  t.equal(clock.alarms(), 0)
})

t.test('an empty room behind a shut door – has the same time limit', async (t) => {
  const { clock, membership, recorder, replayer, admit, attempt } = await startTogether()
  membership().lapse()
  recorder.ticket.leave()
  replayer.ticket.leave()
  await clock.pass(SUSPEND_MS - 1)
  const seat = await admit({ joinOnly: true })
  seat.leave()
  await clock.pass(1)
  t.equal(await attempt({ joinOnly: true }), 4410)
})

t.test('an error thrown by a listener – reaches the process, and stops nothing', async (t) => {
  const { node, membership, admit, clock } = await startNode()
  const thrown: unknown[] = []
  const onUncaught = (error: Error) => thrown.push(error.message)
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', onUncaught)
  t.teardown(() => {
    process.removeListener('uncaughtException', onUncaught)
    for (const listener of listeners) process.on('uncaughtException', listener)
  })
  const heard: string[] = []
  for (const event of ['opened', 'closed', 'lapsed', 'resumed', 'replaced'] as const) {
    node.on(event, () => { throw new Error(event) })
    node.on(event, () => heard.push(event))
  }
  const seat = await admit()
  seat.leave()
  const lost = watch(await admit({ room: 'r2' }))
  membership().lapse()
  membership().resume()
  membership().replace()
  await clock.pass(10)
  const expected = ['opened', 'closed', 'opened', 'lapsed', 'resumed', 'closed', 'replaced']
  t.strictSame(thrown, expected)
  t.strictSame(heard, expected, 'the other listeners are still called')
  t.match(lost.end, { code: 4410 })
})
