import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { PATH } from '../support/build-app.js'
import { MAIN, startDemo } from '../support/start-demo.js'
import { findFreePort } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { ask, closeCode, open } from './demo-client.js'
import type { Test } from 'tap'
import type WebSocket from 'ws'
import type { RunningDemo } from '../support/start-demo.js'

async function enter (t: Test, demo: RunningDemo, userId: string, role: string): Promise<WebSocket> {
  const { data } = await ask(demo, userId, role)
  const socket = await open(data, 'cobrowse.v1', data.signature)
  t.teardown(() => socket.terminate())
  await once(socket, 'message')
  return socket
}

function connectTo ({ base }: RunningDemo) {
  const { port, hostname } = new URL(base)
  return connect(Number(port), hostname).on('error', () => {})
}

t.test('SIGTERM – half a request, half a body and a WebSocket that does not close – ends the process with 0', async (t) => {
  const demo = await startDemo(t)
  const halves = ['GET /healthz HTTP/1.1\r\nHost', `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
    'Content-Length: 100\r\n\r\n{', 'GET /ws/cobrowse/1 HTTP/1.1\r\nUpgrade: websocket\r\n']
  for (const text of halves) {
    const socket = connectTo(demo)
    t.teardown(() => socket.destroy())
    await new Promise((resolve) => socket.write(text, resolve))
  }
  const deaf = await enter(t, demo, 'customer', 'recorder')
  deaf.pause()
  const startedAt = performance.now()
  t.equal(await demo.stop(), 0)
  t.ok(performance.now() - startedAt < 9000, 'ended before the hard stop')
})

t.test('SIGTERM – half a request on the second address of localhost – ends the process with 0', async (t) => {
  const demo = await startDemo(t, { HOST: 'localhost' })
  const sockets = ['127.0.0.1', '::1'].map((host) => connect(Number(new URL(demo.base).port), host).on('error', () => {}))
  for (const socket of sockets) {
    t.teardown(() => socket.destroy())
    socket.write('GET /healthz HTTP/1.1\r\nHost')
  }
  await until(() => sockets.every(({ connecting }) => !connecting), 'connected or refused')
  t.equal(await demo.stop(), 0)
})

t.test('SIGTERM – connected clients – are told the time span in which to come back', async (t) => {
  const demo = await startDemo(t, { RETURN_WITHIN: '1500' })
  const sockets = [await enter(t, demo, 'customer', 'recorder'), await enter(t, demo, 'agent', 'replayer')]
  const closed = sockets.map(async (socket) => (await once(socket, 'close')).map(String))
  t.equal(await demo.stop(), 0)
  const reason = 'the node is leaving: ask again within 1500 ms'
  t.strictSame(await Promise.all(closed), [['4410', reason], ['4410', reason]])
})

t.test('SIGTERM with DRAIN_DEADLINE – open calls – go on until they end, and the process ends with the last', async (t) => {
  const demo = await startDemo(t, { DRAIN_DEADLINE: '60000' })
  const customer = await enter(t, demo, 'customer', 'recorder')
  const agent = await enter(t, demo, 'agent', 'replayer')
  const stopped = demo.stop()
  await until(async () => (await fetch(`${demo.base}/readyz`)).status === 503, '/readyz to answer 503')
  t.equal((await fetch(`${demo.base}/healthz`)).status, 200)
  const received = new Promise((resolve) => agent.on('message', (data, isBinary) => { if (isBinary) resolve(String(data)) }))
  customer.send('still here')
  t.equal(await received, 'still here')
  customer.close()
  agent.close()
  t.equal(await stopped, 0)
})

t.test('SIGTERM with DRAIN_DEADLINE – a call that does not end – is disconnected at the deadline', async (t) => {
  const demo = await startDemo(t, { DRAIN_DEADLINE: '300' })
  const closed = closeCode(await enter(t, demo, 'customer', 'recorder'))
  t.equal(await demo.stop(), 0)
  t.equal(await closed, 4410)
})

/** Starts the server with a log that is not read, and fills its pipe. */
async function startUnread (t: Test) {
  const port = await findFreePort()
  const { NODE_OPTIONS, ...env } = process.env
  const child = spawn(process.execPath, [MAIN], {
    env: { ...env, PORT: String(port), LOG_LEVEL: 'trace' }, stdio: ['ignore', 'pipe', 'ignore']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const base = `http://127.0.0.1:${port}`
  await until(async () => (await fetch(`${base}/healthz`).catch(() => undefined))?.ok, 'the server to listen')
  // A pipe holds 64 KiB, and its reader buffers the same amount.
  for (let bytes = 0; bytes < 400_000; bytes += 12_000) {
    const answer = await fetch(`${base}/${'x'.repeat(12_000)}`, { signal: AbortSignal.timeout(20_000) })
    t.equal(answer.status, 404, 'requests are answered although the log is not read')
    await answer.text()
  }
  return { child, exited: once(child, 'exit') }
}

t.test('SIGTERM – a log that is not read – ends the process: one signal gracefully, two at once', async (t) => {
  const one = await startUnread(t)
  one.child.kill('SIGTERM')
  t.strictSame(await one.exited, [0, null])

  const two = await startUnread(t)
  two.child.kill('SIGTERM')
  two.child.kill('SIGTERM')
  // The second signal may arrive after the first has done its work.
  t.match((await two.exited)[0], /^[01]$/)
})
