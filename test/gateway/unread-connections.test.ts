import { createServer } from 'node:http'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { createUnreadConnections } from '../../lib/gateway/unread-connections.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

/** Starts a server that rejects every request, and a caller that asks again after each answer. */
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

t.test('a rejected caller that asks again – is read once there is a place', async (t) => {
  const { unread, reads, answers } = await refuseAll(t)
  await until(() => answers() === 1, 'the refusal')
  // Waits enough turns for the second request to arrive.
  for (let turn = 0; turn < 100; turn++) await nextTurn()
  t.equal(reads(), 1)
  let places = 1
  unread.readInto(() => places--)
  await until(() => answers() === 2, 'the second rejection')
})

t.test('rejected callers – more than there are places – are read one after the other, and the rest stay unread', async (t) => {
  const unread = createUnreadConnections()
  const read: string[] = []
  for (const name of ['first', 'second', 'third']) unread.add({ pause () {}, resume: () => read.push(name) })
  unread.readInto(() => 2 - read.length)
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  t.strictSame(read, ['first', 'second'])
  unread.readInto(() => 1)
  await until(() => read.length === 3, 'the third caller')
})

t.test('a place taken in the same turn by the caller that left it – no rejected caller is read', async (t) => {
  const unread = createUnreadConnections()
  let reads = 0
  let places = 1
  unread.add({ pause () {}, resume: () => reads++ })
  unread.readInto(() => places)
  await nextTurn()
  places = 0
  for (let turn = 0; turn < 10; turn++) await nextTurn()
  t.equal(reads, 0)
})

t.test('a rejected caller that asks again – no request answered in between – is read after a second', async (t) => {
  const { reads } = await refuseAll(t)
  const startedAt = performance.now()
  await until(() => reads() === 2, 'the second request')
  t.ok(performance.now() - startedAt > 900)
})
