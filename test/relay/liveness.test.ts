import t from 'tap'
import { createLiveness } from '../../lib/relay/liveness.js'
import { eventually, until } from '../support/until.js'
import type { Test } from 'tap'
import type { WebSocket } from 'ws'

const INTERVAL_MS = 60

function createStage (t: Test, { answers = true, isPaused = false, readyState = 1 } = {}) {
  const silent: unknown[] = []
  const liveness = createLiveness(INTERVAL_MS, (it) => silent.push(it))
  t.teardown(liveness.end)
  // The part of a WebSocket that is used.
  const socket = { OPEN: 1, readyState, isPaused, pings: 0, ping } as unknown as WebSocket & { pings: number }
  let told = 0

  function ping (): void {
    socket.pings++
    if (answers) liveness.answered(socket)
  }

  liveness.add(socket, () => told++)
  return { silent, socket, liveness, told: () => told }
}

t.test('a client – answers each ping – stays, and is told with each', async (t) => {
  const { silent, socket, told } = createStage(t)
  await until(() => socket.pings === 3, 'three pings')
  t.equal(told(), 3)
  t.strictSame(silent, [])
})

t.test('a client – has not answered by the next ping – is silent', async (t) => {
  const { silent, socket } = createStage(t, { answers: false })
  await eventually(() => silent, [socket])
  t.equal(socket.pings, 1)
})

t.test('a client that is not read – its answer waits in the connection – is not taken for silent', async (t) => {
  const { silent, socket } = createStage(t, { answers: false, isPaused: true })
  await until(() => socket.pings === 2, 'two pings')
  t.strictSame(silent, [])
})

t.test('clients that are closing, or removed – their interval is over – are not pinged', async (t) => {
  const { socket: closing } = createStage(t, { readyState: 2 })
  const { socket: removed, liveness } = createStage(t)
  liveness.remove(removed)
  const { socket } = createStage(t)
  await until(() => socket.pings === 2, 'two pings of another one')
  t.equal(closing.pings + removed.pings, 0)
})

t.test('many clients – in one interval – are pinged in turn, not at once', async (t) => {
  const liveness = createLiveness(INTERVAL_MS, () => {})
  t.teardown(liveness.end)
  const turns: number[] = []
  let inTurn = 0
  const count = 100
  for (let at = 0; at < count; at++) {
    const socket = { OPEN: 1, readyState: 1, isPaused: true, ping () { if (++inTurn === 1) setImmediate(next) } }
    liveness.add(socket as unknown as WebSocket, () => {})
  }
  function next (): void {
    turns.push(inTurn)
    inTurn = 0
  }
  await until(() => turns.reduce((sum, it) => sum + it, 0) >= count, 'all clients were pinged')
  t.ok(turns.every((it) => it < count), turns.join())
})
