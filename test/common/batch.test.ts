import t from 'tap'
import { createBatch } from '../../lib/common/batch.js'
import { systemClock } from '../../lib/common/clock.js'

const clock = systemClock

t.test('inputs of one turn – are answered by one call, each with its own output', async (t) => {
  const calls: number[][] = []
  const double = createBatch<number, number>({
    clock,
    most: 10,
    run: async (inputs) => {
      calls.push(inputs)
      return inputs.map((input) => 2 * input)
    }
  })
  t.strictSame(await Promise.all([1, 2, 3].map(double)), [2, 4, 6])
  t.equal(await double(4), 8)
  t.strictSame(calls, [[1, 2, 3], [4]])
})

t.test('more inputs than one call takes – are split', async (t) => {
  const calls: number[][] = []
  const same = createBatch<number, number>({
    clock,
    most: 2,
    run: async (inputs) => {
      calls.push(inputs)
      return inputs
    }
  })
  t.strictSame(await Promise.all([1, 2, 3, 4, 5].map(same)), [1, 2, 3, 4, 5])
  t.strictSame(calls, [[1, 2], [3, 4], [5]])
})

t.test('an output that rejects – concerns its own input only', async (t) => {
  const ask = createBatch<number, number>({
    clock,
    most: 10,
    run: async (inputs) => inputs.map(async (input) => {
      if (input < 0) throw new RangeError('negative')
      return input
    })
  })
  const [good, bad] = await Promise.allSettled([ask(1), ask(-1)])
  t.match(good, { status: 'fulfilled', value: 1 })
  t.match(bad, { status: 'rejected', reason: { message: 'negative' } })
})

t.test('a call that fails, or that answers too few inputs – rejects all that have no output', async (t) => {
  const failing = createBatch({ clock, most: 10, run: async () => { throw new RangeError('down') } })
  for (const { status } of await Promise.allSettled([failing(1), failing(2)])) t.equal(status, 'rejected')
  const short = createBatch<number, number>({ clock, most: 10, run: async () => [1] })
  const [first, second] = await Promise.allSettled([short(1), short(2)])
  t.match([first, second], [{ value: 1 }, { status: 'rejected', reason: { message: /fewer inputs/ } }])
})
