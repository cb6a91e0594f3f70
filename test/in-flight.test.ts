import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createInFlight } from '../lib/in-flight.js'

function createReader () {
  const reader = { isPaused: false, pause: () => { reader.isPaused = true }, resume: () => { reader.isPaused = false } }
  return reader
}

t.test('a refused connection – with time to spare in the event loop – is read on', async (t) => {
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

t.test('a refused connection – while the event loop is saturated – is read again after an answer', async (t) => {
  const inFlight = createInFlight(1, () => true)
  const leave = inFlight.enter()
  const reader = createReader()
  inFlight.turnAway(reader)
  await nextTurn()
  await nextTurn()
  t.equal(reader.isPaused, true)
  leave?.()
  t.equal(reader.isPaused, false)
})
