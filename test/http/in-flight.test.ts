import { once } from 'node:events'
import http2 from 'node:http2'
import { connect } from 'node:net'
import t from 'tap'
import { memorySessions } from '../../lib/index.js'
import fc from '../support/fast-check.js'
import { body, buildApp, PATH, session } from '../support/build-app.js'
import { elapse } from '../support/elapse.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { AppSetup } from '../support/build-app.js'

const SEED = 20_261_127
const payload = JSON.stringify(body)
const never = () => new Promise<never>(() => {})
// A slow store lets a caller be gone by the time of the answer.
const slowSessions = { ...memorySessions(), find: async () => { await elapse(2, 'a token store takes some time'); return session } }

async function listen (t: Test, setup: AppSetup) {
  const { app, ask } = await buildApp(t, setup)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, ask, port: (app.server.address() as AddressInfo).port }
}

/** Builds a request of HTTP/1.x, complete or without its last byte. */
function textOf (version: '1.0' | '1.1', isWhole = true): string {
  const head = `POST ${PATH} HTTP/${version}\r\nHost: x\r\nContent-Type: application/json\r\nccmessaging-token: x\r\n` +
    `Content-Length: ${Buffer.byteLength(payload)}\r\n\r\n`
  return head + (isWhole ? payload : payload.slice(0, -1))
}

interface Pipeline { version: '1.0' | '1.1', whole: number, half: boolean, after: 'reset' | 'destroy' | 'end', ms: number }
interface Streams { streams: Array<{ isWhole: boolean, after: 'reset' | 'stay' }>, after: 'destroy' | 'close', ms: number }

const pause = fc.integer({ min: 0, max: 6 })
const pipeline: fc.Arbitrary<Pipeline> = fc.record({
  version: fc.constantFrom('1.0', '1.1'),
  whole: fc.integer({ min: 0, max: 12 }),
  half: fc.boolean(),
  after: fc.constantFrom('reset', 'destroy', 'end'),
  ms: pause
})
const streams: fc.Arbitrary<Streams> = fc.record({
  streams: fc.array(fc.record({ isWhole: fc.boolean(), after: fc.constantFrom('reset', 'stay') }), { maxLength: 12 }),
  after: fc.constantFrom('destroy', 'close'),
  ms: pause
})

async function sendPipeline (port: number, { version, whole, half, after, ms }: Pipeline): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {}).resume()
  await once(socket, 'connect')
  socket.write(textOf(version).repeat(whole) + (half ? textOf(version, false) : ''))
  await elapse(ms, 'the connection ends at any moment of its requests')
  if (after === 'reset') socket.resetAndDestroy()
  else if (after === 'destroy') socket.destroy()
  else socket.end()
  if (!socket.closed) await once(socket, 'close')
}

async function sendStreams (port: number, { streams, after, ms }: Streams): Promise<void> {
  const client = http2.connect(`http://127.0.0.1:${port}`).on('error', () => {})
  await once(client, 'connect')
  const opened = streams.map(({ isWhole }) => {
    const stream = client.request({
      ':method': 'POST', ':path': PATH, 'content-type': 'application/json', 'ccmessaging-token': 'x'
    }).on('error', () => {}).resume()
    if (isWhole) stream.end(payload)
    else stream.write(payload.slice(0, -1))
    return stream
  })
  await elapse(ms, 'the connection ends at any moment of its requests')
  streams.forEach(({ after }, index) => { if (after === 'reset') opened[index]?.close(http2.constants.NGHTTP2_CANCEL) })
  // A graceful close waits for streams that are half open.
  if (after === 'close' && streams.every(({ isWhole, after }) => isWhole || after === 'reset')) client.close()
  else client.destroy()
  if (!client.destroyed) await once(client, 'close')
}

t.test('places in flight – after any mix of pipelines, resets and broken connections – are all free again', async (t) => {
  t.comment(`seed ${SEED}`)
  // A long timeout makes sure that it does not free the places within the test.
  const options = { sessions: slowSessions, timeout: 60_000, maxInFlight: 20 }
  const ofHttp1 = await listen(t, { options })
  const ofHttp2 = await listen(t, { options, server: { http2: true } as object })
  const mix = fc.array(fc.oneof(pipeline, streams), { minLength: 1, maxLength: 8 })
  await fc.assert(fc.asyncProperty(mix, async (callers) => {
    await Promise.all(callers.map(async (caller) => 'version' in caller
      ? await sendPipeline(ofHttp1.port, caller)
      : await sendStreams(ofHttp2.port, caller)))
    for (const { app, ask } of [ofHttp1, ofHttp2]) {
      await until(() => app.cobrowse.status().inFlight === 0, 'no request in flight')
      if ((await ask()).json().retCode !== '0') throw new Error('a good caller is rejected')
    }
  }), { seed: SEED, numRuns: 40, endOnFailure: true })
})

t.test('a hook of the host that hangs – keeps its place no longer than the timeout', async (t) => {
  const { app, ask } = await buildApp(t, {
    options: { timeout: 200, maxInFlight: 1, routeOptions: { preHandler: never } }
  })
  ask().catch(() => {})
  await until(() => app.cobrowse.status().inFlight === 1, 'the request in flight')
  await until(() => app.cobrowse.status().inFlight === 0, 'its place free again')
})

t.test('a hook of the host that answers, fails or takes over the response – frees its place', async (t) => {
  const { app, ask } = await buildApp(t, {
    options: {
      timeout: 60_000,
      maxInFlight: 1,
      routeOptions: {
        async preHandler ({ headers }, reply) {
          if (headers.how === 'answers') return await reply.code(204).send()
          if (headers.how === 'fails') throw new Error('of the host')
          if (headers.how === 'hijacks') reply.hijack().raw.end('of the host')
        }
      }
    }
  })
  for (const how of ['answers', 'fails', 'hijacks', 'lets pass']) {
    await ask({ headers: { how } })
    t.equal(app.cobrowse.status().inFlight, 0, how)
  }
})

t.test('a response that its caller does not read – takes no place', async (t) => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => { open = resolve })
  const sessions = { ...memorySessions(), find: async () => { await gate; return session } }
  const { app, port } = await listen(t, { options: { sessions, timeout: 60_000 } })
  const socket = connect(port, '127.0.0.1').on('error', () => {}).pause()
  t.teardown(() => socket.destroy())
  socket.write(textOf('1.1').repeat(200))
  await until(() => app.cobrowse.status().inFlight > 100, 'requests in flight')
  open()
  await until(() => app.cobrowse.status().inFlight === 0, 'every place free again')
})

t.test('an incomplete request – every place taken – is rejected, and its connection goes on', async (t) => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => { open = resolve })
  const sessions = { ...memorySessions(), find: async () => { await gate; return session } }
  const { app, ask, port } = await listen(t, { options: { sessions, timeout: 60_000, maxInFlight: 1 } })
  const held = ask()
  await until(() => app.cobrowse.status().inFlight === 1, 'the request in flight')
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  t.teardown(() => socket.destroy())
  let answers = ''
  socket.on('data', (text) => { answers += text })
  socket.write(textOf('1.1', false))
  await until(() => answers.includes('"50306"'), 'the refusal')
  open()
  t.equal((await held).json().retCode, '0')
  socket.write(payload.slice(-1) + textOf('1.1'))
  await until(() => answers.includes('"retCode":"0"'), 'the answer to the next request')
})

t.test('heads of one turn – more than there are places – are refused before their bodies are read', async (t) => {
  const counts = { bodies: 0, refusals: 0 }
  const { app, port } = await listen(t, {
    options: { maxInFlight: 2, sessions: { ...memorySessions(), find: never } },
    before (app) {
      app.addHook('preParsing', async (_request, _reply, payload) => {
        counts.bodies++
        return payload
      })
      app.addHook('onSend', async () => { counts.refusals++ })
    }
  })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(textOf('1.1').repeat(5))
  await until(() => app.cobrowse.status().inFlight === 2)
  t.strictSame(counts, { bodies: 2, refusals: 3 })
})
