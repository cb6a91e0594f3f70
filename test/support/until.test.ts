import t from 'tap'
import { eventually, until } from './until.js'

const never = new Promise<string>(() => {})

t.test('a wait – condition becomes true – ends with the value', async (t) => {
  let count = 0
  t.equal(await until(() => ++count > 2 && 'third'), 'third')
  await eventually(() => ++count, 6)
  await eventually(() => [`${++count}`], ['8'])
  await eventually(() => `the ${++count}`, /^the (9|10)$/)
})

t.test('a wait – condition never true – names the condition and the last value', async (t) => {
  await t.rejects(until(() => 0, 'a message', 30), { message: 'waited 30 ms for: a message\ninstead there was: 0' })
  await t.rejects(until(() => t.name === 'x', undefined, 30), { message: /for: t\.name === .x.\ninstead there was: false/ })
  await t.rejects(eventually(() => ({ seats: 1 }), { seats: 2 }, 'both seats', 30), {
    message: 'waited 30 ms for: both seats, to be { seats: 2 }\ninstead there was: { seats: 1 }'
  })
})

t.test('a wait – failing read – goes on in eventually, and ends until', async (t) => {
  let count = 0
  const read = () => {
    if (++count < 3) throw new Error('the page loads')
    return count
  }
  await eventually(read, 3)
  count = 0
  await t.rejects(until(read), { message: 'the page loads' })
  await t.rejects(eventually<unknown>(() => { throw new Error('the page loads') }, 1, 'a page', 30), {
    message: /^waited 30 ms for: a page, to be 1\ninstead there was: Error: the page loads/
  })
})

t.test('a wait – hanging read – ends in time', async (t) => {
  await t.rejects(until(async () => await never, 'an answer', 30), {
    message: 'waited 30 ms for: an answer\ninstead there was: no answer at all'
  })
  let count = 0
  await t.rejects(eventually(async () => ++count > 1 ? await never : 'first', 'second', 'an answer', 60), {
    message: "waited 60 ms for: an answer, to be 'second'\ninstead there was: 'first'"
  })
})
