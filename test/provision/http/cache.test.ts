import t from 'tap'
import { elapse } from '../../support/elapse.js'
import { address, inTurn, startHttpServer, text } from '../../support/http-server.js'
import { eventually, until } from '../../support/until.js'
import { GOOD, GOOD_URL, node, session, startHttp } from '../start-http.js'
import type { Test } from 'tap'
import type { Answer } from '../../support/http-server.js'

const NEW = 'new.example'
const NEW_URL = 'wss://new.example/ws/cobrowse/1'
const down = text('', 504)
const slowly = (answer: Answer, ms = 100): Answer => (request, response) => setTimeout(answer, ms, request, response)

/** Advances the clock that measures the lifetime of answers. */
function takeClock (t: Test): (ms: number) => void {
  const now = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => now() + ahead })
  return (ms) => { ahead += ms }
}

t.test('an answer – is cached for its own tenant', async (t) => {
  const server = await startHttpServer(t, (request, response) => {
    address(`${request.url?.slice(1)}.example`)(request, response)
  })
  const { ask } = startHttp(t, { url: `${server.url}/{tenantId}` })
  for (let turn = 0; turn < 3; turn++) {
    t.equal(await ask('a'), 'wss://a.example/ws/cobrowse/1')
    t.equal(await ask('b'), 'wss://b.example/ws/cobrowse/1')
  }
  t.equal(server.requests.length, 2)
})

t.test('a URL without placeholders – is requested once for all tenants', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const { ask } = startHttp(t, { url: server.url })
  await ask('a')
  await ask('b')
  t.equal(server.requests.length, 1)
})

t.test('a hundred callers at once – share one exchange', async (t) => {
  const server = await startHttpServer(t, slowly(address(GOOD)))
  const { ask } = startHttp(t, { url: server.url, timeout: 5000 })
  const urls = await Promise.all(Array.from({ length: 100 }, async () => await ask()))
  t.strictSame(new Set(urls), new Set([GOOD_URL]))
  t.equal(server.requests.length, 1)
})

t.test('a thousand tenants at once – share 32 connections', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const { ask } = startHttp(t, { url: `${server.url}/{tenantId}`, timeout: 20_000 })
  await Promise.all(Array.from({ length: 1000 }, async (_, tenant) => await ask(`t${tenant}`)))
  t.equal(server.requests.length, 1000)
  t.ok(server.connections() <= 32, `${server.connections()} connections`)
})

t.test('a caller that goes away – gets its error at once, and the exchange goes on for the others', async (t) => {
  const server = await startHttpServer(t, slowly(address(GOOD), 300))
  const { ask } = startHttp(t, { url: server.url, timeout: 5000 })
  const leaving = new AbortController()
  const first = ask('t1', leaving.signal)
  const second = ask('t1')
  await eventually(() => server.requests.length, 1)
  leaving.abort(new Error('gone'))
  await t.rejects(first, { message: 'gone' })
  t.equal(await second, GOOD_URL)
  t.equal(server.requests.length, 1)
})

t.test('prefetch – before the node is known – asks once, and its failure reaches no caller', async (t) => {
  const server = await startHttpServer(t, slowly(address(GOOD)))
  const { ask, provision } = startHttp(t, { url: `${server.url}/{tenantId}`, timeout: 5000 })
  provision.prefetch?.(session)
  await eventually(() => server.requests.length, 1)
  provision.prefetch?.(session)
  t.equal(await ask(), GOOD_URL)
  provision.prefetch?.(session)
  t.equal(server.requests.length, 1)
  server.answer(down)
  provision.prefetch?.({ ...session, tenantId: 'another' })
  provision.prefetch?.({ ...session, tenantId: '..' })
  // An unhandled rejection ends the test here.
  await eventually(() => provision.status().reason, 'server error (504)')
})

t.test('an answer near its expiry – is refreshed in the background, and no caller waits', async (t) => {
  const forward = takeClock(t)
  t.intercept(Math, 'random', { value: () => 0.5 })
  const server = await startHttpServer(t, address(GOOD))
  const { ask } = startHttp(t, { url: server.url, ttl: 100, timeout: 5000 })
  let release = () => {}
  t.equal(await ask(), GOOD_URL)
  server.answer((request, response) => { release = () => address(NEW)(request, response) })
  forward(79_000)
  t.equal(await ask(), GOOD_URL)
  await elapse(50, 'time for a request in the background')
  t.equal(server.requests.length, 1, 'not yet')
  forward(2000)
  t.equal(await ask(), GOOD_URL)
  await eventually(() => server.requests.length, 2)
  t.equal(await ask(), GOOD_URL, 'the old answer during the refresh')
  release()
  await until(async () => await ask() === NEW_URL)
  t.equal(server.requests.length, 2)
})

t.test('answers of the same moment – expire at different times: lifetimes differ by a fifth', async (t) => {
  const forward = takeClock(t)
  let random = 0
  t.intercept(Math, 'random', { value: () => random })
  const server = await startHttpServer(t, address(GOOD))
  const { ask } = startHttp(t, { url: `${server.url}/{tenantId}`, ttl: 100, timeout: 5000 })
  await ask('short')
  random = 1
  await ask('long')
  server.answer(address(NEW))
  forward(81_000)
  t.equal(await ask('short'), NEW_URL, 'ended')
  forward(14_000)
  t.equal(await ask('long'), GOOD_URL)
  t.equal(server.requests.length, 3, 'no other answer is due')
})

t.test('an expired answer – is requested again, not returned', async (t) => {
  const server = await startHttpServer(t, inTurn(address(GOOD), address(NEW)))
  const { ask } = startHttp(t, { url: server.url, ttl: 0.05 })
  t.equal(await ask(), GOOD_URL)
  await elapse(100, 'the answer to expire')
  t.equal(await ask(), NEW_URL)
})

t.test('"stale" – in an outage – gives the last good answer, and after the first failure no caller waits', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const { ask, states } = startHttp(t, { url: server.url, ttl: 0.01, timeout: 1000 })
  await ask()
  await elapse(30, 'the answer to expire')
  server.answer(down)
  t.equal(await ask(), GOOD_URL)
  t.match(states.at(-1), { state: 'degraded', reason: 'server error (504)' })
  await elapse(1100, 'the pause after a failure')
  let isAnswered = false
  server.answer((request, response) => setTimeout(() => {
    isAnswered = true
    address(NEW)(request, response)
  }, 500))
  t.equal(await ask(), GOOD_URL)
  t.notOk(isAnswered, 'the stale answer during the background request')
  await until(async () => await ask() === NEW_URL)
  t.strictSame(states.map(({ state }) => state), ['starting', 'up', 'degraded', 'up'], 'each state is reported once')
})

t.test('an answer – by a clock that only goes forward – is never older than ten minutes', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const { ask, askInVain, provision } = startHttp(t, { url: server.url, ttl: 1 })
  const forward = takeClock(t)
  t.intercept(Date, 'now', { value: () => 0 })
  await ask()
  server.answer(down)
  forward(590_000)
  t.equal(await ask(), GOOD_URL)
  forward(20_000)
  await elapse(5, 'a timer to fire')
  t.equal(await askInVain(t), 'server error (504)')
  t.equal(provision.status().state, 'down')
})

t.test('"fail" – gives a cached answer until it expires, then fails', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  const { ask, askInVain } = startHttp(t, { url: server.url, ttl: 0.5, onOutage: 'fail' })
  await ask()
  server.answer(down)
  t.equal(await ask(), GOOD_URL)
  await elapse(700, 'the answer to expire')
  t.equal(await askInVain(t), 'server error (504)')
})

t.test('"omit" – no address available – leaves it out', async (t) => {
  const server = await startHttpServer(t, down)
  const { ask, provision } = startHttp(t, { url: `${server.url}/{tenantId}`, onOutage: 'omit', ttl: 0.01 })
  t.equal(await ask(), null)
  t.equal(provision.status().state, 'degraded')
  server.answer(address(GOOD))
  t.equal(await ask('another'), GOOD_URL)
  server.answer(down)
  await elapse(30, 'the answer to expire')
  t.equal(await ask('another'), GOOD_URL, 'the last good answer is preferred to none')
})

t.test('the close – ends all pending exchanges', async (t) => {
  const server = await startHttpServer(t, () => {})
  const { ask, provision } = startHttp(t, { url: server.url, timeout: 60_000 })
  const waiting = ask().catch((error) => error)
  await eventually(() => server.requests.length, 1)
  await provision.close()
  t.match(await waiting, { code: 'FST_COBROWSE_50304' })
  await t.rejects(provision.externalUrl(node, session, AbortSignal.timeout(60_000)), { code: 'FST_COBROWSE_50304' })
  t.equal(provision.status().state, 'closed')
})
