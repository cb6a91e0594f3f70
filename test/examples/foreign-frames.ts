import { once } from 'node:events'
import { connect, sign } from './foreign-node.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { WebSocket } from 'ws'
import type { startNode } from './foreign-node.js'
import type { Role } from '../../types/role.js'

const MEBIBYTE = 1024 * 1024
const HELLO = 'hello'

export async function testFrames (t: Test, { store, port }: Awaited<ReturnType<typeof startNode>>): Promise<void> {
  async function open (role: Role) {
    const socket = connect(port, sign(await store.incarnation(), role))
    t.teardown(() => socket.terminate())
    const heard: Buffer[] = []
    let hasHeard = false
    socket.on('message', (data: Buffer) => {
      hasHeard = true
      if (String(data) !== HELLO) heard.push(data)
    })
    socket.on('error', () => {})
    const closed = once(socket, 'close').then(([code]) => code)
    await once(socket, 'open')
    return { socket, heard, closed, hasHeard: () => hasHeard }
  }

  const replayer = await open('replayer')
  const recorder = await open('recorder')
  const areTogether = (other: Awaited<ReturnType<typeof open>>) => {
    recorder.socket.send(HELLO)
    return other.hasHeard()
  }
  // Nothing else shows that a client is admitted.
  await until(() => areTogether(replayer), 'the first client is admitted')
  const messages = ['', 'short', 'é'.repeat(100), 'x'.repeat(70_000), Buffer.alloc(4 * MEBIBYTE, 7)]
  for (const message of messages) recorder.socket.send(message)
  for (const part of ['in ', 'three ']) recorder.socket.send(part, { fin: false })
  recorder.socket.ping('between')
  recorder.socket.send('parts')
  const [[pong]] = await Promise.all([
    once(recorder.socket, 'pong'), until(() => replayer.heard.length === messages.length + 1, 'all messages')
  ])
  t.equal(String(pong), 'between')
  t.strictSame(replayer.heard, [...messages, 'in three parts'].map((message) => Buffer.from(message)))

  const bad: Array<[string, number, (socket: WebSocket) => void]> = [
    ['a message that is too long', 1009, (socket) => socket.send(Buffer.alloc(4 * MEBIBYTE + 1))],
    ['a text that is not UTF-8', 1007, (socket) => socket.send(Buffer.from([0xC3]), { binary: false })],
    ['a frame without a mask', 1002, (socket) => socket.send('x', { mask: false })],
    ['a fragment without a beginning', 1002, (socket) => Reflect.get(socket, '_socket').write(Buffer.from([0x80, 0x80, 0, 0, 0, 0]))]
  ]
  for (const [what, code, send] of bad) {
    const client = await open('recorder')
    send(client.socket)
    t.equal(await client.closed, code, what)
  }

  const slow = await open('replayer')
  await until(() => areTogether(slow), 'the slow client is admitted')
  slow.socket.pause()
  for (let sent = 0; sent < 12; sent++) {
    const before = replayer.heard.length
    recorder.socket.send(messages[4] ?? '')
    await until(() => replayer.heard.length > before, 'the other client hears it')
  }
  slow.socket.resume()
  t.not(await slow.closed, 1000, 'a client that reads too slowly is disconnected')

  replayer.socket.close(1000)
  t.equal(await replayer.closed, 1000, 'a close is answered')
}
