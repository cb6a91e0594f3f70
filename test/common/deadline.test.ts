import { connect, createServer } from 'node:net'
import t from 'tap'
import { systemClock } from '../../lib/common/clock.js'
import { Deadline, DeadlineError, untilOver, withDeadline } from '../../lib/common/deadline.js'
import { createFakeClock } from '../node/fake-clock.js'
import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'

const never = async () => await new Promise<never>(() => {})

function block (ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

t.test('withDeadline – work that takes too long – rejects in time, and passes on the later result', async (t) => {
  const clock = createFakeClock()
  const late: string[] = []
  let finish = (_value: string) => {}
  const work = withDeadline<string>({ clock, ms: 1000, onLate: (value) => late.push(value) }, async ({ signal }) =>
    await new Promise<string>((resolve) => {
      finish = resolve
      signal.addEventListener('abort', () => late.push('aborted'))
    }))
  const failed = work.catch(({ name }) => name)
  await clock.pass(1000)
  t.equal(await failed, 'DeadlineError')
  finish('late')
  await clock.pass(0)
  t.strictSame(late, ['aborted', 'late'])
})

t.test('withDeadline – work that ends in time, well or badly – hands on its result, and sets no alarm', async (t) => {
  const clock = createFakeClock()
  const onLate = () => t.fail('in time')
  t.equal(await withDeadline({ clock, ms: 1000, onLate }, async () => 'done'), 'done')
  await t.rejects(withDeadline({ clock, ms: 1000, onLate }, () => { throw new Error('at once') }), { message: 'at once' })
  t.equal(clock.alarms(), 0)
})

t.test('withDeadline – an event loop that was blocked while the answer came – is not late', async (t) => {
  const server = createServer((socket) => socket.write('answer')).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const answer = withDeadline({ clock: systemClock, ms: 50 }, async () => await new Promise<string>((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString())
    })
  }))
  // Both ends live in this process, so the server's side has to run before the loop stands still.
  await new Promise((resolve) => server.once('connection', () => setImmediate(resolve)))
  block(400)
  t.equal(await answer, 'answer')
})

t.test('an alarm – a blocked event loop, a cancellation – fires once, late rather than early, or not at all', async (t) => {
  const fired: string[] = []
  systemClock.alarm(20, { fire: () => fired.push('first') })
  const second = systemClock.alarm(20, { fire: () => fired.push('second') })
  second.cancel()
  systemClock.alarm(1, { fire: () => fired.push('after a stall') })
  block(150)
  await until(() => fired.includes('first') && fired.includes('after a stall'), 'both fire')
  await elapse(60, 'the cancelled one would have fired')
  t.strictSame(fired.sort(), ['after a stall', 'first'])
})

t.test('withDeadline – time that ran out, a signal of the caller that aborted – rejects with the reason', async (t) => {
  await t.rejects(withDeadline({ clock: systemClock, ms: 20 }, never), DeadlineError)
  const parent = new AbortController()
  const work = withDeadline({ clock: systemClock, ms: 5000, within: parent.signal }, never)
  parent.abort(new RangeError('of the parent'))
  await t.rejects(work, RangeError)
  await t.rejects(withDeadline({ clock: systemClock, ms: 5000, within: parent.signal }, never), RangeError, 'and is not even begun')
})

t.test('untilOver – the wait is over already, and the work fails later – rejects with the reason, and nothing else', async (t) => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const deadline = new Deadline(createFakeClock(), 1000)
  deadline.end(new RangeError('over'))
  const parent = AbortSignal.abort(new RangeError('over'))
  for (const ending of [deadline, parent]) {
    const work = new Promise<never>((_resolve, reject) => setImmediate(() => reject(new Error('of the work'))))
    await t.rejects(untilOver(work, ending), RangeError)
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  }
  t.strictSame(unhandled, [])
})
