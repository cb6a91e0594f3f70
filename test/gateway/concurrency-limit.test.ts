import t from 'tap'
import { createConcurrencyLimit } from '../../lib/gateway/concurrency-limit.js'
import { simulateLoop } from '../support/simulated-loop.js'

/** Requests per second that the simulated loop can answer. */
const CAPACITY = 1000 / 0.3
const steadily = (times: number) => (ms: number) => times * CAPACITY * ms / 1000

t.test('twice the capacity – after two seconds – nearly all requests are answered that rejections leave time for', async (t) => {
  const { answered, refused, slowestMs } = simulateLoop({ arrivedBy: steadily(2), seconds: 10 })
  // Rejections take a tenth of an answer each, which leaves 89 % of the capacity.
  t.ok(answered > 0.85 * CAPACITY * 10, `answered ${answered}`)
  t.ok(refused > 0, `refused ${refused}`)
  t.ok(slowestMs < 150, `the slowest took ${Math.round(slowestMs)} ms`)
})

t.test('nine tenths of the capacity – nothing is rejected', async (t) => {
  const { refused, limits } = simulateLoop({ arrivedBy: steadily(0.9), seconds: 10 })
  t.equal(refused, 0)
  t.equal(limits.at(-1), 1000)
})

t.test('a dependency that takes 150 ms – below the capacity – nothing is rejected', async (t) => {
  const { refused } = simulateLoop({ arrivedBy: steadily(0.8), seconds: 10, dependencyMs: 150 })
  t.equal(refused, 0)
})

t.test('a dependency that takes 150 ms – at twice the capacity – the throughput stays', async (t) => {
  const { answered } = simulateLoop({ arrivedBy: steadily(2), seconds: 10, dependencyMs: 150 })
  t.ok(answered > 0.83 * CAPACITY * 10, `answered ${answered}`)
})

t.test('bursts of 800 requests, one per second – nothing is rejected', async (t) => {
  const { refused } = simulateLoop({ arrivedBy: (ms) => 800 * Math.floor(ms / 1000), seconds: 20 })
  t.equal(refused, 0)
})

t.test('an overload that ends – within a second – the limit is back at its start', async (t) => {
  const { limits } = simulateLoop({
    arrivedBy: (ms) => steadily(2)(Math.min(ms, 5000)) + steadily(0.5)(Math.max(0, ms - 5000)), seconds: 7
  })
  t.ok(Number(limits[9]) < 500, `the limit under overload is ${limits[9]}`)
  t.equal(limits[11], 1000)
})

t.test('a machine 20 times slower – offered twice its capacity – answers the same part of its capacity', async (t) => {
  const { answered, limits } = simulateLoop({
    arrivedBy: (ms) => steadily(2)(ms) / 20, seconds: 20, answerMs: 6, refusalMs: 0.6
  })
  t.ok(answered > 0.8 * CAPACITY / 20 * 20, `answered ${answered}`)
  t.ok(Number(limits.at(-1)) < 100, `the limit is ${limits.at(-1)}`)
})

t.test('a loop that stays slow – the limit stops at 64, or at a lower ceiling', async (t) => {
  for (const [ceiling, least] of [[1000, 64], [20, 20], [1, 1]] as const) {
    let now = 0
    const limit = createConcurrencyLimit(ceiling, () => now)
    for (let turn = 0; turn < 100; turn++) {
      now += 200
      limit.turned(200, ceiling)
    }
    t.equal(limit.current(ceiling), least, `ceiling ${ceiling}`)
  }
})

t.test('a loop that is slow – few requests in flight – the limit stays', async (t) => {
  let now = 0
  const limit = createConcurrencyLimit(1000, () => now)
  for (let turn = 0; turn < 100; turn++) {
    now += 200
    limit.turned(200, 10)
  }
  t.equal(limit.current(10), 1000)
})
