import t from 'tap'
import { endingFor, takesDeadline, withEnding } from '../../lib/common/adapter-call.js'
import { Deadline } from '../../lib/common/deadline.js'
import { createFakeClock } from '../node/fake-clock.js'

const aDeadline = () => new Deadline(createFakeClock(), 1000)

t.test('an adapter of another author – its method – gets a signal that aborts with the deadline', async (t) => {
  const deadline = aDeadline()
  const signal = endingFor(async () => {}, deadline)
  t.ok(signal instanceof AbortSignal)
  t.notOk(signal.aborted)
  deadline.end(new RangeError('over'))
  t.equal(signal.reason.message, 'over')
})

t.test('options for another author – read, spread and destructured – hold one signal', async (t) => {
  const deadline = aDeadline()
  const options = withEnding(async () => {}, deadline, { isKnown: true, signal: undefined })
  const { signal, ...rest } = { ...options }
  t.ok(signal instanceof AbortSignal)
  t.equal(options.signal, signal)
  t.strictSame(rest, { isKnown: true })
  deadline.end(new RangeError('over'))
  t.ok(signal.aborted)
})

t.test('our own method – it takes deadlines – gets the deadline, and a wrapper around it a signal', async (t) => {
  const deadline = aDeadline()
  const own = takesDeadline(async (_ending: unknown) => {})
  t.equal(endingFor(own, deadline) as unknown, deadline)
  t.equal(withEnding(own, deadline, {}).signal as unknown, deadline)
  const wrapper = async (ending: unknown) => await own(ending)
  t.ok(endingFor(wrapper, deadline) instanceof AbortSignal)
})

t.test('a signal – asked for after the end – is aborted, with the reason', async (t) => {
  const deadline = aDeadline()
  deadline.end(new RangeError('over'))
  t.ok(deadline.signal.aborted)
  t.equal(deadline.signal.reason.message, 'over')
})
