import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createInFlight } from '../../lib/gateway/in-flight.js'
import { until } from '../support/until.js'

function createReader () {
  const reader = { isPaused: false, pause: () => { reader.isPaused = true }, resume: () => { reader.isPaused = false } }
  return reader
}

t.test('a rejected connection – spare time in the event loop – is read on', async (t) => {
  const inFlight = createInFlight(1, () => false)
  const leave = inFlight.enter()
  const reader = createReader()
  t.equal(inFlight.enter(), undefined)
  inFlight.turnAway(reader)
  await nextTurn()
  await nextTurn()
  t.equal(reader.isPaused, false)
  leave?.()
  t.equal(inFlight.count(), 0)
})

t.test('a rejected connection – event loop saturated – is read again once there is a place', async (t) => {
  const inFlight = createInFlight(1, () => true)
  const leave = inFlight.enter()
  const reader = createReader()
  inFlight.turnAway(reader)
  await nextTurn()
  await nextTurn()
  t.equal(reader.isPaused, true)
  leave?.()
  await until(() => !reader.isPaused, 'the connection to be read')
})

t.test('turns that read many requests, alternating with turns that answer them all – lower the limit', async (t) => {
  const inFlight = createInFlight(1000)
  const clock = new Int32Array(new SharedArrayBuffer(4))
  await until(async () => {
    const leaves = Array.from({ length: 200 }, () => inFlight.enter())
    Atomics.wait(clock, 0, 0, 60)
    await nextTurn()
    Atomics.wait(clock, 0, 0, 60)
    for (const leave of leaves) leave?.()
    await nextTurn()
    return inFlight.limit() < 1000
  }, 'the limit to fall')
})
