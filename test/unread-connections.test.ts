import { createServer } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import { createUnreadConnections } from '../lib/unread-connections.js'
import { until } from './support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** A server that refuses every request, and a caller that asks again as soon as it is answered. */
async function refuseAll (t: Test) {
  const unread = createUnreadConnections()
  let reads = 0
  const server = createServer((request, response) => {
    reads++
    unread.add(request.socket)
    response.end('refused')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let answers = 0
  socket.on('data', () => {
    answers++
    socket.write(REQUEST)
  })
  t.teardown(() => {
    socket.destroy()
    server.close()
  })
  socket.write(REQUEST)
  return { unread, reads: () => reads, answers: () => answers }
}

t.test('a refused caller that asks again – its connection is read once another request is answered', async (t) => {
  const { unread, reads, answers } = await refuseAll(t)
  await until(() => answers() === 1, 'the refusal')
  // Turns enough for the second request to come.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(reads(), 1)
  unread.readOne()
  await until(() => answers() === 2, 'the second refusal')
  unread.readAll()
  await until(() => answers() === 3, 'the third refusal')
})

t.test('a refused caller that asks again – while no request is answered – is read again after a second', async (t) => {
  const { reads } = await refuseAll(t)
  const startedAt = performance.now()
  await until(() => reads() === 2, 'the second request')
  t.ok(performance.now() - startedAt > 900)
})
