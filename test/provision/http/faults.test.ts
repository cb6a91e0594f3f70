import t from 'tap'
import { elapse } from '../../support/elapse.js'
import { address, startHttpServer, startRawServer, text } from '../../support/http-server.js'
import { until } from '../../support/until.js'
import { GOOD, GOOD_URL, startHttp } from '../start-http.js'
import type { Answer } from '../../support/http-server.js'

const silence: Answer = () => {}
const status = (code: number, headers: Record<string, string> = {}) => text('', code, headers)

t.test('a port without a listener – fails at once, and works again with the server', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  await server.stop()
  const { askInVain, ask, provision } = startHttp(t, { url: server.url })
  t.equal(await askInVain(t), 'connection refused (ECONNREFUSED)')
  t.match(provision.status(), { state: 'down', reason: 'connection refused (ECONNREFUSED)' })
  await server.start()
  const startedAt = performance.now()
  await until(async () => await ask().catch(() => null) === GOOD_URL)
  t.ok(performance.now() - startedAt < 4000, 'soon')
  t.equal(provision.status().state, 'up')
})

t.test('a name that does not resolve – has its own reason', async (t) => {
  const { askInVain } = startHttp(t, { url: 'http://provision.invalid/', timeout: 2000 })
  t.match(await askInVain(t), /^(name lookup failed \((ENOTFOUND|EAI_AGAIN)\)|timed out)$/)
})

t.test('a server that never answers – costs its timeout once, and later callers fail at once', async (t) => {
  const server = await startHttpServer(t, silence)
  const { askInVain, ask } = startHttp(t, { url: server.url, timeout: 1000 })
  t.equal(await askInVain(t), 'timed out')
  t.equal(server.requests.length, 1)
  t.equal(await askInVain(t), 'timed out')
  t.equal(server.requests.length, 1, 'the second request is not sent')
  server.answer(address(GOOD))
  await until(async () => await ask().catch(() => null) === GOOD_URL)
})

t.test('the whole exchange – has one timeout: a body that drips is cut off, and its connection closed', async (t) => {
  let isEnded = false
  const server = await startHttpServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => {
      isEnded = true
      clearInterval(timer)
    })
  })
  const { askInVain } = startHttp(t, { url: server.url, timeout: 1000 })
  t.equal(await askInVain(t), 'timed out')
  await until(() => isEnded)
})

t.test('a slow answer within the timeout – is accepted', async (t) => {
  const server = await startHttpServer(t, (request, response) => setTimeout(address(GOOD), 300, request, response))
  t.equal(await startHttp(t, { url: server.url, timeout: 5000 }).ask(), GOOD_URL)
})

t.test('a stall of our own event loop – is not a timeout of the server', async (t) => {
  const server = await startRawServer(t, (socket) => {
    const body = JSON.stringify({ data: { address: GOOD } })
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    // The answer lies unread in the socket when the timeout fires.
    const standUntil = performance.now() + 700
    while (performance.now() < standUntil);
  })
  t.equal(await startHttp(t, { url: server.url, timeout: 300 }).ask(), GOOD_URL)
})

t.test('an unknown tenant – is remembered for some seconds, and does not affect the others', async (t) => {
  const server = await startHttpServer(t, (request, response) =>
    (request.url === '/t1' ? status(404) : address(GOOD))(request, response))
  const { ask, askInVain, provision } = startHttp(t, { url: `${server.url}/{tenantId}` })
  await askInVain(t)
  t.equal(provision.status().state, 'degraded')
  t.equal(await ask('t2'), GOOD_URL)
  await elapse(1500, 'time for a breaker to let one request through')
  await askInVain(t)
  t.equal(server.requests.filter(({ url }) => url === '/t1').length, 1)
})

t.test('a redirect – is a failure, and its target is never contacted', async (t) => {
  const canary = await startHttpServer(t, address(GOOD))
  const server = await startHttpServer(t, address(GOOD))
  for (const code of [301, 302, 307]) {
    server.answer(status(code, { location: canary.url }))
    t.equal(await startHttp(t, { url: server.url }).askInVain(t), `redirect or no content (${code})`)
  }
  server.answer(status(307, { location: server.url }))
  await startHttp(t, { url: server.url }).askInVain(t)
  t.equal(canary.connections(), 0)
  t.equal(server.requests.length, 4, 'a redirect loop is not followed')
})

t.test('a dead backend – is left alone by the breaker, and found again when back', async (t) => {
  const server = await startHttpServer(t, status(500))
  const { ask, askInVain } = startHttp(t, { url: `${server.url}/{tenantId}` })
  for (let tenant = 0; tenant < 15; tenant++) await askInVain(t, `t${tenant}`)
  t.ok(server.requests.length <= 22, `${server.requests.length} requests for 15 tenants`)
  server.answer(address(GOOD))
  await until(async () => await ask('t99').catch(() => null) === GOOD_URL)
})

t.test('rejections of single tenants – never open the breaker', async (t) => {
  const server = await startHttpServer(t, status(404))
  const { ask, askInVain } = startHttp(t, { url: `${server.url}/{tenantId}` })
  for (let tenant = 0; tenant < 15; tenant++) await askInVain(t, `t${tenant}`)
  server.answer(address(GOOD))
  t.equal(await ask('another'), GOOD_URL)
})
