import http2 from 'node:http2'
import { connect } from 'node:net'
import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { memorySessions } from '../../lib/index.js'
import { body, buildApp, PATH, session } from '../support/build-app.js'
import { until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const payload = JSON.stringify(body)
const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nccmessaging-token: x\r\n` +
  `Content-Length: ${Buffer.byteLength(payload)}\r\n\r\n`
const GONE = /requests_total\{outcome="gone",ret_code="none"\} (\d+)/

/** Starts a gateway whose token store answers on demand. */
async function listen (t: Test, server: object = {}) {
  let open = () => {}
  const gate = new Promise<void>((resolve) => { open = resolve })
  let begun = 0
  const lines: Array<Record<string, unknown>> = []
  const metrics = new PromRegistry()
  const { app } = await buildApp(t, {
    server: {
      ...server,
      requestTimeout: 5000,
      disableRequestLogging: true,
      logger: { level: 'debug', stream: { write: (line: string) => lines.push(JSON.parse(line)) } }
    } as object,
    options: {
      timeout: 60_000,
      metrics,
      routeOptions: { onRequest: async () => { begun++ } },
      sessions: { ...memorySessions(), find: async () => { await gate; return session } }
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const counted = async () => Number(GONE.exec(await metrics.metrics())?.[1] ?? 0)
  const inFlight = () => app.cobrowse.status().inFlight
  return { port, open, lines, metrics, counted, inFlight, begun: () => begun }
}

type Listening = Awaited<ReturnType<typeof listen>>

/** Waits until `count` callers are counted as gone: without a line above debug, and without another outcome. */
async function check (t: Test, count: number, { lines, metrics, counted, inFlight, open }: Listening): Promise<void> {
  await until(async () => await counted() === count, `${count} callers that are gone`)
  open()
  await until(() => inFlight() === 0, 'no request in flight')
  const text = await metrics.metrics()
  t.equal((text.match(/requests_total\{/g) ?? []).length, 1, 'no other outcome')
  t.equal(await counted(), count)
  t.match(text, 'cobrowse_request_duration_seconds_count 0')
  t.strictSame(lines.filter(({ level, msg }) => Number(level) > 20 && String(msg).includes('co-browsing')), [])
  t.notOk(lines.some(({ level }) => Number(level) >= 50))
}

t.test('a caller that goes away while it is served – is counted as gone', async (t) => {
  const gateway = await listen(t)
  const socket = connect(gateway.port, '127.0.0.1')
  socket.write(head + payload)
  await until(() => gateway.inFlight() === 1, 'the request in flight')
  socket.destroy()
  await until(() => gateway.inFlight() === 0, 'the end of the work')
  await check(t, 1, gateway)
  t.match(gateway.lines.find(({ outcome }) => outcome === 'gone'), { level: 20, msg: 'co-browsing request gone' })
})

t.test('a pipeline that is reset – each of its requests is counted as gone, once', async (t) => {
  const gateway = await listen(t)
  const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
  socket.write((head + payload).repeat(5))
  await until(() => gateway.inFlight() === 5, 'the requests in flight')
  socket.resetAndDestroy()
  await check(t, 5, gateway)
})

t.test('a caller that goes away before its body is complete – is counted as gone', async (t) => {
  const gateway = await listen(t)
  const socket = connect(gateway.port, '127.0.0.1')
  socket.write(`${head}{`, () => socket.destroy())
  await check(t, 1, gateway)
})

t.test('an HTTP/2 stream – cancelled, or its connection broken – is counted as gone', async (t) => {
  const gateway = await listen(t, { http2: true })
  const client = http2.connect(`http://127.0.0.1:${gateway.port}`).on('error', () => {})
  t.teardown(() => client.destroy())
  const ask = () => client.request({
    ':method': 'POST', ':path': PATH, 'content-type': 'application/json', 'ccmessaging-token': 'x'
  }).on('error', () => {})
  const [cancelled, broken, incomplete] = [ask(), ask(), ask()]
  cancelled.end(payload)
  broken.end(payload)
  incomplete.write('{')
  await until(() => gateway.inFlight() === 2 && gateway.begun() === 3, 'the requests')
  cancelled.close(http2.constants.NGHTTP2_CANCEL)
  await until(async () => await gateway.counted() === 1, 'a caller that is gone')
  client.destroy()
  await check(t, 3, gateway)
})
