import t from 'tap'
import { address, inTurn, startHttpServer, text } from '../../support/http-server.js'
import { until } from '../../support/until.js'
import { GOOD, GOOD_URL, startHttp } from '../start-http.js'

const status = (code: number, headers: Record<string, string> = {}) => text('', code, headers)

for (const code of [500, 502, 503, 429]) {
  t.test(`${code} – is retried once, on a fresh connection`, async (t) => {
    const server = await startHttpServer(t, inTurn(status(code), address(GOOD)))
    t.equal(await startHttp(t, { url: server.url, timeout: 5000 }).ask(), GOOD_URL)
    t.equal(server.requests.length, 2)
    t.equal(server.connections(), 2)
    server.answer(status(code))
    const { askInVain, provision } = startHttp(t, { url: server.url, timeout: 5000 })
    t.match(await askInVain(t), new RegExp(`\\(${code}\\)$`))
    t.equal(server.requests.length, 4, 'there is no third attempt')
    t.equal(provision.status().state, 'down')
  })
}

t.test('Retry-After – within the time left – is honoured, and never beyond', async (t) => {
  const server = await startHttpServer(t, inTurn(status(503, { 'retry-after': '1' }), address(GOOD)))
  const startedAt = performance.now()
  t.equal(await startHttp(t, { url: server.url, timeout: 5000 }).ask(), GOOD_URL)
  t.ok(performance.now() - startedAt >= 990, 'it waited')
  server.answer(inTurn(status(429, { 'retry-after': '999999999' }), address(GOOD)))
  const { ask, askInVain } = startHttp(t, { url: server.url, timeout: 800 })
  t.equal(await askInVain(t), 'asked too often (429)')
  t.equal(server.requests.length, 3, 'no second attempt')
  const refusedAt = performance.now()
  await until(async () => await ask().catch(() => null) === GOOD_URL)
  t.ok(performance.now() - refusedAt < 6000, 'the server is asked again after two seconds')
})

t.test('a failure – less than 40 % of the time left – is not retried', async (t) => {
  const server = await startHttpServer(t, (request, response) => setTimeout(status(503), 1300, request, response))
  const { askInVain } = startHttp(t, { url: server.url, timeout: 2000 })
  t.equal(await askInVain(t), 'server error (503)')
  t.equal(server.requests.length, 1)
})

t.test('a rejection whose body never ends – does not keep its connection', async (t) => {
  let isEnded = false
  const server = await startHttpServer(t, (_request, response) => {
    response.on('close', () => { isEnded = true }).writeHead(403).write('no')
  })
  t.equal(await startHttp(t, { url: server.url, timeout: 60_000 }).askInVain(t), 'credentials refused (403)')
  await until(() => isEnded)
})

for (const [code, reason] of [
  [401, 'credentials refused'], [403, 'credentials refused'], [404, 'unknown tenant'], [400, 'request refused'],
  [204, 'redirect or no content'], [504, 'server error']
] as const) {
  t.test(`${code} – is not retried`, async (t) => {
    const server = await startHttpServer(t, status(code))
    const { askInVain, provision } = startHttp(t, { url: server.url, timeout: 5000 })
    t.equal(await askInVain(t), `${reason} (${code})`)
    t.equal(server.requests.length, 1)
    t.match(provision.status(), { state: /^(down|degraded)$/, reason: `${reason} (${code})` })
  })
}
