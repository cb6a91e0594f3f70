import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { PATH } from '../support/build-app.js'
import { elapse } from '../support/elapse.js'
import { skipWithout } from '../support/skip-reason.js'
import { runDemo, shareDemo, START, startDemo } from '../support/start-demo.js'
import { eventually, until } from '../support/until.js'
import { ask, closeCode, open, sendUntilReceived, signIn } from './demo-client.js'

const execute = promisify(execFile)
const openDemo = shareDemo(t)
const SHAPE = { retCode: '0', data: { roomId: String, wssUrl: /^ws:/, wssUrlOut: /^ws:/, signature: /^ey/ } }

t.test('npm start – prints a curl line that works when pasted', { skip: skipWithout('curl') }, async (t) => {
  const { output } = await startDemo(t, {}, START)
  const line = /^\s*(curl .*)$/m.exec(output())?.[1] ?? ''
  const { stdout } = await execute('sh', ['-c', line])
  t.match(JSON.parse(stdout), SHAPE)
})

t.test('npm start – prints addresses of pages that exist', async (t) => {
  const { base, output } = await openDemo()
  const [listing = ''] = output().split('Ask which node')
  const printed = [...listing.matchAll(/http:\S+/g)].map(String)
  t.strictSame(printed.map((url) => url.replace(base, '')), [
    '', '/', '/demo/customer?room=demo-room', '/demo/agent?room=demo-room', '/demo/topology?room=demo-room',
    '/admin/', '/docs', '/healthz', '/readyz', '/metrics'
  ])
  for (const url of printed) t.equal((await fetch(url)).status, 200, url)
})

t.test('npm start – prints its addresses – after its nodes have registered', async (t) => {
  const { output } = await startDemo(t, { LOG_LEVEL: 'info' })
  const [before = ''] = output().split('listens on')
  t.equal(before.match(/"msg":"relay node registered"/g)?.length, 2)
})

t.test('the topology page – shows and does – only for this machine and its own pages', async (t) => {
  const { base } = await startDemo(t, { NODE_PREFIX: 'node' })
  const state = async () =>
    await (await fetch(`${base}/demo/topology/state`)).json() as { nodes: Array<{ state: string }> }
  const first = { id: 'node-1', state: 'serving', isHere: true, isListed: true, rooms: [] }
  t.match(await state(), { registry: 'memory', nodes: [first, { id: 'node-2' }] })
  const post = async (path: string, headers = {}) => await fetch(`${base}/demo/nodes/${path}`, { method: 'POST', headers })
  const other = await post('node-1/stop', { origin: 'http://localhost:1234' })
  t.equal(other.headers.get('access-control-allow-origin'), 'http://localhost:1234', 'another process of the demo may read')
  t.strictSame(await other.json(), { state: 'stopped' })
  t.match(await state(), { nodes: [{ state: 'stopped', isListed: false }, { state: 'serving' }] })
  for (const origin of ['https://example.com', 'null', 'http://127.0.0.1.example.com']) {
    t.equal((await post('node-2/stop', { origin })).status, 403, origin)
    t.equal((await fetch(`${base}/demo/topology/state`, { headers: { origin } })).status, 403)
  }
  t.equal((await post('nobody/stop')).status, 404)
  for (const action of ['explode', 'stopped', 'drain', 'undrain', 'resumes']) {
    t.equal((await post(`node-2/${action}`)).status, 404, action)
  }
  t.match(await state(), { nodes: [{ state: 'stopped' }, { state: 'serving' }] })
  t.strictSame(await (await post('node-1/resume')).json(), { state: 'starting' })
  await eventually(async () => (await state()).nodes[0]?.state, 'serving')
})

t.test('the admin page – of the demo – is for this machine only', async (t) => {
  const { base } = await startDemo(t, { NODE_PREFIX: 'node' })
  const give = async (headers = {}) => await fetch(`${base}/admin/api/nodes/node-1/order`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ kind: 'cordon', reason: 'a test' })
  })
  for (const headers of [{ origin: 'https://example.com' }, { 'x-forwarded-for': '192.0.2.1' }, { origin: 'http://localhost:1' }]) {
    t.equal((await give(headers)).status, 403, JSON.stringify(headers))
  }
  t.match(await (await give()).json(), { order: { author: 'demo' } })
  const { nodes } = await (await fetch(`${base}/admin/api/nodes`)).json() as { nodes: Array<{ state: string }> }
  t.strictSame(nodes.map(({ state }) => state), ['cordoned', 'serving'])
})

t.test('recorder and replayer – meet on one node – each receives the other’s messages', async (t) => {
  const demo = await startDemo(t)
  const { data: customer } = await ask(demo, 'customer', 'recorder')
  const { data: agent } = await ask(demo, 'agent', 'replayer')
  t.equal(customer.wssUrl, agent.wssUrl)
  const sockets = await Promise.all([customer, agent].map(async (info) =>
    await open(info, 'cobrowse.v1', info.signature)))
  t.teardown(() => sockets.forEach((socket) => socket.terminate()))
  const [first, second] = sockets
  if (first === undefined || second === undefined) throw new Error('two sockets were opened')
  t.equal(first.protocol, 'cobrowse.v1', 'the signature is not echoed')
  t.equal(await sendUntilReceived(first, second, '{"type":4}'), '{"type":4}')

  t.equal(await closeCode(await open(customer, 'cobrowse.v1', customer.signature)), 4408, 'a signature works once')
  t.equal(await closeCode(await open(customer, 'cobrowse.v1', 'forged')), 4401)
  const { data: other } = await ask(demo, 'customer', 'recorder', 'room-2')
  const { wssUrl = '' } = other
  const elsewhere = { ...other, wssUrl: wssUrl.replace(/[12]$/, (number) => number === '1' ? '2' : '1') }
  t.equal(await closeCode(await open(elsewhere, 'cobrowse.v1', other.signature)), 4401, 'for another node')
  await t.rejects(open({ ...other, wssUrl: wssUrl.replace(/\d$/, '9') }, 'cobrowse.v1', other.signature), /404/)

  const closed = sockets.map(closeCode)
  t.equal(await demo.stop(), 0, 'ends cleanly with sockets open')
  t.strictSame(await Promise.all(closed), [4410, 4410], 'the clients are told to ask again')
})

t.test('a Java HttpClient that asks for h2c – gets the same answer as curl', { skip: skipWithout('javac') }, async (t) => {
  const demo = await openDemo()
  const client = fileURLToPath(new URL('../support/H2cClient.java', import.meta.url))
  const body = JSON.stringify({ roomId: 'r', userId: 'java', userName: 'Java', role: 'replayer' })
  const { stdout } = await execute('java', ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', client, demo.base + PATH, await signIn(demo, 'java'), body])
  const [status, text] = stdout.split(/ (.*)/s)
  t.equal(status, '200')
  t.match(JSON.parse(text ?? ''), SHAPE)
})

t.test('a request that asks for h2c – body late and in pieces – is answered', async (t) => {
  const demo = await openDemo()
  const body = JSON.stringify({ roomId: 'r', userId: 'u', userName: 'u', role: 'replayer' })
  const { port, hostname } = new URL(demo.base)
  const head = `POST ${PATH} HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: ${body.length}\r\n` +
    `Host: ${hostname}:${port}\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n` +
    `Content-Type: application/json\r\nccmessaging-token: ${await signIn(demo, 'u')}\r\n\r\n`
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  for (const piece of [head + body.slice(0, 9), body.slice(9, 20), body.slice(20)]) {
    socket.write(piece)
    await elapse(30, 'time for the piece to arrive alone')
  }
  await until(() => text.includes('"signature"'), 'the answer')
  socket.write(head + body)
  await eventually(() => text.split('"signature"').length, 3, 'the second answer')
  t.match(text, /^HTTP\/1\.1 200 OK/, 'the next request on the same connection')
})

t.test('health, readiness, metrics and the API reference – are served', async (t) => {
  const { base } = await openDemo()
  t.strictSame(await (await fetch(`${base}/healthz`)).json(), { status: 'ok' })
  t.match(await (await fetch(`${base}/readyz`)).json(), { ready: true, registry: { state: 'up' } })
  t.strictSame(await (await fetch(`${base}/readyz/all`)).json(), { answers: 'all' })
  t.match(await (await fetch(`${base}/metrics`)).text(), /cobrowse_nodes\{state="serving"\} 2/)
  t.match(await (await fetch(`${base}/docs`)).text(), /swagger/i)
  const reference = await (await fetch(`${base}/docs/json`)).json() as { paths: object }
  const release = PATH.replace('getConnectionInfo', 'releaseConnection')
  const paths = Object.keys(reference.paths).filter((path) => !path.startsWith('/admin/api/')).sort()
  t.strictSame(paths, ['/demo/session', PATH, release])
  t.ok('/admin/api/nodes' in reference.paths)
})

t.test('a page – at any address that leads to it – has its own content security policy', async (t) => {
  const { base } = await openDemo()
  const headersOf = async (path: string) => {
    const { headers, status } = await fetch(base + path)
    return { status, policy: headers.get('content-security-policy') ?? 'none', frames: headers.get('x-frame-options') }
  }
  for (const name of ['customer', 'agent', 'topology']) {
    const [page, file] = [await headersOf(`/demo/${name}`), await headersOf(`/demo/assets/${name}.html`)]
    t.equal(file.policy, page.policy)
    t.match(page, { status: 200, policy: /frame-ancestors 'none'/, frames: 'DENY' }, name)
    t.equal(/connect-src 'self' ws: wss:;/.test(page.policy), name === 'agent', 'the replay connects to its own origin only')
  }
  for (const path of ['/', '/demo/assets/', '/demo/assets/room.js', '/demo/client/index.js', '/demo/rrweb/rrweb.js', '/docs/']) {
    t.match(await headersOf(path), { policy: /frame-ancestors 'none'/ }, path)
  }
})

t.test('a session – asked from this machine only – is given, and sets the cookie', async (t) => {
  const { base } = await openDemo()
  const post = async (headers: Record<string, string>, userId = 'u') => await fetch(`${base}/demo/session`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ userId })
  })
  const response = await post({})
  const { token } = await response.json() as { token: string }
  t.match(response.headers.get('set-cookie'), `ccmessaging-token=${token}; Path=/; HttpOnly`)
  t.equal((await post({}, 'no spaces')).status, 400)
  const { port } = new URL(base)
  const socket = connect(Number(port), '127.0.0.1')
  socket.write('POST /demo/session HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n' +
    'Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{"userId":"u"}')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  t.match(text, /^HTTP\/1\.1 403/, 'a name that an attacker made resolve to this machine')
  for (const name of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP']) {
    t.equal((await post({ [name]: '127.0.0.1' })).status, 403, `a proxy that says ${name}`)
  }
})

t.test('the server – outside loopback with the sample key, or with a short key – never starts', async (t) => {
  const outside: Array<[Record<string, string>, RegExp]> = [
    [{ HOST: '0.0.0.0' }, /COBROWSE_KEY must be set when HOST is not loopback/],
    [{ COBROWSE_KEY: 'short' }, /COBROWSE_KEY/]
  ]
  await Promise.all(outside.map(async ([env, message]) => {
    const { exited, output } = runDemo(env)
    t.equal(await exited, 1)
    t.match(output(), message)
    t.notMatch(output(), /short'/)
  }))
})
