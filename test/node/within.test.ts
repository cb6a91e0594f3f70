import { randomFill } from 'node:crypto'
import t from 'tap'
import { systemClock } from '../../lib/common/clock.js'
import { within } from '../../lib/node/within.js'
import { createFakeClock } from './fake-clock.js'

t.test('a promise that takes too long – is reported, and its later result is not lost', async (t) => {
  const clock = createFakeClock()
  const late: string[] = []
  let finish = (_value: string) => {}
  const work = within<string>({ clock, ms: 1000, onLate: (value) => late.push(value) }, async (signal) =>
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

t.test('a promise in time, or one that fails – is passed on', async (t) => {
  const clock = createFakeClock()
  const onLate = () => t.fail('in time')
  t.equal(await within({ clock, ms: 1000, onLate }, async () => 'done'), 'done')
  await t.rejects(within({ clock, ms: 1000, onLate }, () => { throw new Error('at once') }), { message: 'at once' })
  t.equal(clock.alarms(), 0)
})

t.test('a stall of our event loop – is not blamed on the promise', async (t) => {
  const answer = await within({ clock: systemClock, ms: 20 }, async () => await new Promise<string>((resolve) => {
    randomFill(Buffer.alloc(16), () => resolve('answered meanwhile'))
    const end = performance.now() + 400
    while (performance.now() < end);
  }))
  t.equal(answer, 'answered meanwhile')
})
