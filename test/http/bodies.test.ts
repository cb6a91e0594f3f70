import { once } from 'node:events'
import http2 from 'node:http2'
import { connect } from 'node:net'
import { PassThrough, Readable, Transform } from 'node:stream'
import Fastify from 'fastify'
import t from 'tap'
import { Budget } from '../../lib/gateway/request-context.js'
import { createBodyParser } from '../../lib/http/body.js'
import { body, buildApp, PATH } from '../support/build-app.js'
import { sendRaw } from '../support/raw-http.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Test } from 'tap'
import type { AppSetup } from '../support/build-app.js'

const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`

async function listen (t: Test, setup: AppSetup = {}) {
  const built = await buildApp(t, setup)
  await built.app.listen({ port: 0, host: '127.0.0.1' })
  return { ...built, port: (built.app.server.address() as AddressInfo).port }
}

function connectHttp2 (t: Test, port: number): ClientHttp2Session {
  const client = http2.connect(`http://127.0.0.1:${port}`).on('error', () => {})
  t.teardown(() => client.destroy())
  return client
}

/** Sends the head and the first byte of a body. */
function stall (client: ClientHttp2Session): ClientHttp2Stream {
  const stream = client.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/json' })
  stream.on('error', () => {}).write('{')
  return stream
}

async function readAnswer (stream: ClientHttp2Stream) {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk) => { text += chunk })
  await once(stream, 'end')
  return JSON.parse(text)
}

t.test('bodies that stall – take no place in flight, and good callers are answered', async (t) => {
  const { app, ask, port } = await listen(t, { options: { timeout: 60_000, maxInFlight: 2 } })
  let open = 0
  app.server.on('connection', () => open++)
  for (let count = 0; count < 50; count++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    socket.write(head)
    t.teardown(() => socket.destroy())
  }
  await until(() => open === 50, 'fifty connections')
  t.equal(app.cobrowse.status().inFlight, 0)
  t.equal((await ask()).json().retCode, '0')
})

t.test('more incomplete bodies than allowed – the oldest is ended, and a complete one answered', async (t) => {
  const app = Fastify()
  const budget = new Budget(60_000)
  t.teardown(() => budget.done())
  t.teardown(() => app.close())
  let begun = 0
  const parse = createBodyParser(() => budget, 3)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', (request, payload, done) => {
    begun++
    parse(request, payload, done)
  })
  app.post(PATH, async ({ body }) => body)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const ended: number[] = []
  for (let index = 0; index < 5; index++) {
    const answer = sendRaw(port, head)
    await until(() => begun === index + 1, 'the next body')
    answer.then(({ text }) => {
      if (/408 Request Timeout[^]*close[^]*_40801/.test(text)) ended.push(index)
    }).catch(() => {})
  }
  await until(() => ended.length === 2, 'the end of the two oldest')
  t.strictSame(ended, [0, 1])
  const good = await app.inject({ method: 'POST', url: PATH, payload: body })
  t.strictSame(good.json(), body)
  await until(() => ended.length === 3, 'the end of the oldest, replaced by the good one')
  t.strictSame(ended, [0, 1, 2])
  app.server.closeAllConnections()
})

t.test('an HTTP/2 stream whose body never ends – is closed after the answer', async (t) => {
  const { port } = await listen(t, { server: { http2: true } as object, options: { timeout: 200 } })
  const client = connectHttp2(t, port)
  const stream = stall(client)
  t.match(await readAnswer(stream), { retCode: '40801' })
  await until(() => stream.closed, 'the end of the stream')
  t.equal(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR)
  const refused = client.request({
    ':method': 'POST', ':path': PATH, 'content-type': 'application/json', origin: 'https://evil.example'
  })
  refused.write('{')
  t.match(await readAnswer(refused), { retCode: '40302' })
  await until(() => refused.closed, 'the end of the stream rejected by its head')
})

t.test('a body that is too large – is rejected by its length, or as soon as it exceeds the limit', async (t) => {
  const { port } = await listen(t, { options: { timeout: 60_000 } })
  const byLength = head.replace('Content-Length: 100', 'Content-Length: 4097')
  t.match(await sendRaw(port, byLength), { status: 413, body: /"41301"/ })
  const chunked = head.replace('Content-Length: 100', 'Transfer-Encoding: chunked')
  t.match(await sendRaw(port, `${chunked}1001\r\n${'x'.repeat(4097)}\r\n`), { status: 413, body: /"41301"/ })
})

/** Streams that a `preParsing` hook of the host may return, with the expected retCode. */
const STREAMS: Array<[string, (payload: Readable) => Readable, string]> = [
  ['passes the body on', (payload) => payload.pipe(new PassThrough()), '0'],
  ['passes texts on', (payload) => payload.setEncoding('utf8'), '0'],
  ['has read the body itself', () => Readable.from([Buffer.from(JSON.stringify(body))]), '0'],
  ['fails with a status', (payload) => payload.pipe(failing({ statusCode: 403 })), '40301'],
  ['fails without a status', (payload) => payload.pipe(failing({})), '40001'],
  ['fails at once', () => new PassThrough().destroy(new Error('of the host')), '40001'],
  ['is destroyed without an error', (payload) => payload.pipe(new Transform({ transform () { this.destroy() } })), '40001'],
  ['was read to its end', () => Readable.from([]).resume(), '40001'],
  ['never ends', () => new PassThrough(), '40801']
]

function failing (properties: object): Transform {
  return new Transform({ transform: (_chunk, _encoding, done) => done(Object.assign(new Error('of the host'), properties)) })
}

t.test('a stream of a preParsing hook – in any state – costs its own request only', async (t) => {
  for (const hooked of ['server', 'route'] as const) {
    for (const [what, replace, retCode] of STREAMS) {
      const preParsing = async (_request: unknown, _reply: unknown, payload: unknown) => {
        const stream = replace(payload as Readable)
        stream.on('error', () => {})
        // Node.js reports the end, or the error, in a later turn.
        if (!stream.readable || what === 'was read to its end') await new Promise((resolve) => setImmediate(resolve))
        return stream
      }
      const { ask } = await buildApp(t, {
        options: { timeout: what === 'never ends' ? 300 : 10_000, ...hooked === 'route' && { routeOptions: { preParsing } } },
        before (app) { if (hooked === 'server') app.addHook('preParsing', preParsing) }
      })
      const response = await ask()
      t.equal(response.json().retCode, retCode, `${hooked}: ${what}`)
      t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
    }
  }
})

t.test('an error of a stream after the answer – does not end the process', async (t) => {
  const stream = new PassThrough()
  const { ask } = await buildApp(t, { options: { timeout: 100, routeOptions: { preParsing: async () => stream } } })
  t.equal((await ask()).json().retCode, '40801')
  stream.destroy(new Error('late'))
  await until(() => stream.closed, 'the error of the stream')
})
