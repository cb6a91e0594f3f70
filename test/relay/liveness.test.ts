import t from 'tap'
import { createLiveness } from '../../lib/relay/liveness.js'
import type { WebSocket } from 'ws'

function createStage () {
  const silent: unknown[] = []
  const liveness = createLiveness((socket) => silent.push(socket))
  const socket = { OPEN: 1, readyState: 1, isPaused: false, pings: 0, ping () { this.pings++ } }
  // The part of a WebSocket that is used.
  const asSocket = socket as unknown as WebSocket
  return { silent, socket, ping: () => liveness.ping([asSocket]), answer: () => liveness.answered(asSocket) }
}

t.test('a client – answers each ping – stays', async (t) => {
  const { silent, socket, ping, answer } = createStage()
  for (let count = 0; count < 3; count++) {
    ping()
    answer()
  }
  t.equal(socket.pings, 3)
  t.strictSame(silent, [])
})

t.test('a client – has not answered by the next ping – is silent', async (t) => {
  const { silent, ping } = createStage()
  ping()
  t.strictSame(silent, [])
  ping()
  t.equal(silent.length, 1)
})

t.test('a client that is not read – its answer waits in the connection – is not taken for silent', async (t) => {
  const { silent, socket, ping } = createStage()
  socket.isPaused = true
  ping()
  ping()
  t.strictSame(silent, [])
})

t.test('a client that is closing – its interval is over – is not pinged', async (t) => {
  const { socket, ping } = createStage()
  socket.readyState = 2
  ping()
  t.equal(socket.pings, 0)
})
