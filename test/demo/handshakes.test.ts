import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { shareDemo, startDemo } from '../support/start-demo.js'
import { until } from '../support/until.js'
import type { RunningDemo } from '../support/start-demo.js'

/** Targets that a web page or script may request; a URL parser throws at most of them. */
const TARGETS = [
  '//', '///', '//[', '//:0', '//@', '//%', '//a b', '/\\', '\\', '/\\\\[', 'http://', 'http://[', 'ws://:99999/', 'javascript:', '*',
  '?', '#', '%', '/%', '/%00', '/ws/cobrowse/', '/ws/cobrowse/1/..', '/ws/cobrowse/%31', '//127.0.0.1:99999/ws/cobrowse/1',
  `/${'a'.repeat(8000)}`, `//${'['.repeat(4000)}`
]

/** Server of the tests that leave it as it was. */
const openDemo = shareDemo(t)

/** Requests for h2c are plain requests, and some of these targets lead to the first page. */
const EXPECTED = { websocket: /^HTTP\/1\.1 4\d\d |^$/, h2c: /^HTTP\/1\.1 [24]\d\d |^$/ }

async function shake ({ base }: RunningDemo, target: string, upgrade: string, method = 'GET'): Promise<string> {
  const { port, hostname } = new URL(base)
  const socket = connect(Number(port), hostname).on('error', () => {})
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: ${upgrade}\r\nConnection: Upgrade\r\n\r\n`)
  await until(() => text.includes('\r\n\r\n') || socket.closed, `an answer to ${method} ${target}`)
  socket.destroy()
  return text
}

t.test('a handshake – target that is no URL – costs its own connection only', async (t) => {
  const demo = await startDemo(t)
  for (const upgrade of ['websocket', 'h2c'] as const) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      for (const target of TARGETS) t.match(await shake(demo, target, upgrade, method), EXPECTED[upgrade], target)
    }
  }
  t.equal((await fetch(`${demo.base}/healthz`)).status, 200)
  t.match(await shake(demo, '/ws/cobrowse/3', 'websocket'), /^HTTP\/1\.1 404 /)
  t.match(await shake(demo, 'http://x/ws/cobrowse/1', 'websocket'), /^HTTP\/1\.1 400 /, 'a relay path without a WebSocket key')
  t.equal(await demo.stop(), 0)
})

t.test('a rejected handshake – client does not close – is closed by the server', async (t) => {
  const { base } = await openDemo()
  const { port, hostname } = new URL(base)
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }).resume()
  t.teardown(() => socket.destroy())
  socket.write('GET /elsewhere HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  await once(socket, 'end')
  socket.on('error', () => {})
  // Data for a closed connection is answered by a reset.
  const again = setInterval(() => socket.write('x'), 20)
  t.teardown(() => clearInterval(again))
  await until(() => socket.destroyed, 'a reset')
})

t.test('a caller that never ends its headers – is cut off within seconds', async (t) => {
  const { base } = await openDemo()
  const { port, hostname } = new URL(base)
  const socket = connect(Number(port), hostname).on('error', () => {})
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  socket.write('GET /healthz HTTP/1.1\r\n')
  const drip = setInterval(() => socket.write('X-A: b\r\n'), 100)
  t.teardown(() => clearInterval(drip))
  const startedAt = performance.now()
  await until(() => socket.closed, 'the end of the connection', 60_000)
  t.match(text, /^HTTP\/1\.1 408 /)
  // The limit is 5 s plus the second between two checks; the default checks twice a minute.
  t.ok(performance.now() - startedAt < 20_000)
})
