import t from 'tap'
import { createLiveness } from '../../lib/relay/liveness.js'
import { eventually, until } from '../support/until.js'
import type { Test } from 'tap'

const INTERVAL_MS = 60
/** What the slowest network carries in an interval, 128 KiB a second. */
const BYTES_OF_INTERVAL = 128 * 1024 * INTERVAL_MS / 1000

function createStage (t: Test, { answers = true, isPaused = false, readyState = 1 } = {}) {
  const silent: unknown[] = []
  const liveness = createLiveness(INTERVAL_MS, (it) => silent.push(it))
  t.teardown(liveness.end)
  const socket = { OPEN: 1 as const, readyState: readyState as 1, isPaused, ping }
  const client = { socket, connection: { bytesRead: 0 }, sentBytes: 0 }
  let pings = 0
  let told = 0

  function ping (): void {
    pings++
    if (answers) liveness.answered(client)
  }

  liveness.add(client, () => told++)
  return { silent, client, liveness, pings: () => pings, told: () => told }
}

t.test('a client – answers each ping – stays, and is told with each', async (t) => {
  const { silent, pings, told } = createStage(t)
  await until(() => pings() === 3, 'three pings')
  t.equal(told(), 3)
  t.strictSame(silent, [])
})

t.test('a client – has not answered by the next ping – is silent', async (t) => {
  const { silent, client, pings, told } = createStage(t, { answers: false })
  await eventually(() => silent, [client])
  t.strictSame([pings(), told()], [1, 1])
})

t.test('a client – was sent much before the ping – may answer as late as a slow network needs', async (t) => {
  const { silent, client, told } = createStage(t, { answers: false })
  client.sentBytes = 5 * BYTES_OF_INTERVAL
  await eventually(() => silent, [client])
  t.equal(told(), 1 + 5)

  const answering = createStage(t, { answers: false })
  answering.client.sentBytes = 5 * BYTES_OF_INTERVAL
  await until(() => answering.pings() === 1, 'a ping')
  answering.liveness.answered(answering.client)
  await eventually(() => answering.silent, [answering.client])
  t.equal(answering.told(), 2, 'what had arrived before gives no more time')
})

t.test('a client – sends, and answers no ping – is not silent until it sends no more', async (t) => {
  const { silent, client, told, pings } = createStage(t, { answers: false })
  await until(() => {
    client.connection.bytesRead++
    return told() === 5
  }, 'five intervals')
  t.strictSame([silent, pings()], [[], 1])
  await eventually(() => silent, [client])
})

t.test('a client that is not read – its answer waits in the connection – is not taken for silent', async (t) => {
  const { silent, client, told } = createStage(t, { answers: false, isPaused: true })
  await until(() => told() === 3, 'three intervals')
  t.strictSame(silent, [])
  client.socket.isPaused = false
  await eventually(() => silent, [client])
  t.equal(told(), 4, 'it has an interval more when it is read again')
})

t.test('clients that are closing, or removed – their interval is over – are not pinged', async (t) => {
  const closing = createStage(t, { readyState: 2 })
  const removed = createStage(t)
  removed.liveness.remove(removed.client)
  const { pings } = createStage(t)
  await until(() => pings() === 2, 'two pings of another one')
  t.equal(closing.pings() + removed.pings(), 0)
})

t.test('many clients – in one interval – are pinged in turn, not at once', async (t) => {
  const liveness = createLiveness(INTERVAL_MS, () => {})
  t.teardown(liveness.end)
  const turns: number[] = []
  let inTurn = 0
  const count = 100
  for (let at = 0; at < count; at++) {
    const ping = () => { if (++inTurn === 1) setImmediate(next) }
    const socket = { OPEN: 1 as const, readyState: 1 as const, isPaused: true, ping }
    liveness.add({ socket, connection: { bytesRead: 0 }, sentBytes: 0 }, () => {})
  }
  function next (): void {
    turns.push(inTurn)
    inTurn = 0
  }
  await until(() => turns.reduce((sum, it) => sum + it, 0) >= count, 'all clients were pinged')
  t.ok(turns.every((it) => it < count), turns.join())
})
