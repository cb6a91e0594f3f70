import t from 'tap'
import { httpProvision } from '../../../lib/provision/http.js'
import { keepAnswers } from '../../../lib/provision/http/kept-answers.js'
import { silentLog } from '../../support/silent-log.js'
import { address, startHttpServer, text } from '../../support/http-server.js'
import { until } from '../../support/until.js'
import { GOOD, GOOD_URL, node, session } from '../start-http.js'
import type { Test } from 'tap'
import type { BackendStatus } from '../../../types/index.js'

const signal = AbortSignal.timeout(120_000)

/** Advances the clock that measures how long failures are kept. */
function takeClock (t: Test): (ms: number) => void {
  const now = performance.now.bind(performance)
  let ahead = 0
  t.intercept(performance, 'now', { value: () => now() + ahead })
  return (ms) => { ahead += ms }
}

async function start (t: Test, fails: (url: string) => boolean) {
  const server = await startHttpServer(t, (request, response) => {
    (fails(request.url ?? '') ? text('', 504) : address(GOOD))(request, response)
  })
  const provision = httpProvision({ url: `${server.url}/{tenantId}/{userId}`, timeout: 5000 })
  t.teardown(async () => await provision.close())
  const states: BackendStatus[] = []
  provision.start({ log: silentLog, onState: (status) => { states.push(status) } })
  return {
    server,
    states,
    ask: async (tenantId: string, userId: string) =>
      await provision.externalUrl(node, { ...session, tenantId, userId }, signal).catch((error) => error.cause.message)
  }
}

t.test('a user whose requests fail – again and again – affects no other user', async (t) => {
  const forward = takeClock(t)
  const { server, states, ask } = await start(t, (url) => url === '/t1/bad')
  for (let count = 0; count < 30; count++) {
    t.equal(await ask('t1', 'bad'), 'server error (504)')
    if (count % 3 === 0) t.equal(await ask('t1', `new-${count}`), GOOD_URL, 'a new user of the tenant')
    if (count % 3 === 0) t.equal(await ask('t2', `new-${count}`), GOOD_URL, 'a user of another tenant')
    forward(700)
  }
  t.ok(server.requests.filter(({ url }) => url === '/t1/bad').length >= 14, 'the failing user is still asked for')
  for (let count = 0; count < 15; count++) {
    forward(1100)
    t.equal(await ask('t1', 'bad'), 'server error (504)')
  }
  t.equal(await ask('t1', 'last'), GOOD_URL, 'without any other answer in between as well')
  t.ok(states.length <= 5, `no two log lines per round: ${states.map(({ state }) => state).join(' ')}`)
})

t.test('a tenant whose requests all fail – is paused, and affects no other tenant', async (t) => {
  let isBad = true
  const { server, ask } = await start(t, (url) => isBad && url.startsWith('/bad/'))
  for (let user = 0; user < 10; user++) t.equal(await ask('bad', `u${user}`), 'server error (504)')
  const asked = server.requests.length
  for (let user = 10; user < 30; user++) await ask('bad', `u${user}`)
  t.ok(server.requests.length <= asked + 5, `asked ${server.requests.length - asked} times for 20 users`)
  for (let tenant = 0; tenant < 5; tenant++) t.equal(await ask(`t${tenant}`, 'u1'), GOOD_URL)
  isBad = false
  await until(async () => await ask('bad', 'other') === GOOD_URL, 'an answer for the tenant')
})

t.test('a backend that fails for ten tenants, or cannot be reached – is paused for all', async (t) => {
  const { server, ask } = await start(t, () => true)
  for (let tenant = 0; tenant < 10; tenant++) t.equal(await ask(`t${tenant}`, 'u'), 'server error (504)')
  const asked = server.requests.length
  for (let tenant = 10; tenant < 30; tenant++) await ask(`t${tenant}`, 'u')
  t.ok(server.requests.length <= asked + 5, `asked ${server.requests.length - asked} times for 20 tenants`)

  const gone = await start(t, () => false)
  await gone.server.stop()
  const reasons = []
  for (let user = 0; user < 30; user++) reasons.push(await gone.ask('t1', `u${user}`))
  t.ok(reasons.includes('not asked after many failures'), String(new Set(reasons)))
  await gone.server.start()
  await until(async () => await gone.ask('t2', 'u') === GOOD_URL, 'an answer')
})

t.test('an asynchronous "pick" – costs its answer, and its rejection does not end the process', async (t) => {
  const { url } = await startHttpServer(t, address(GOOD))
  const pick = async () => await Promise.reject(new Error('of the host'))
  const provision = httpProvision({ url, pick, timeout: 5000 })
  t.teardown(async () => await provision.close())
  // An unhandled rejection ends the test here.
  await t.rejects(provision.externalUrl(node, session, signal), { cause: { message: 'the "pick" function failed' } })
})

t.test('10,000 answers for one tenant – do not push out the last good answer of another', async (t) => {
  const kept = keepAnswers({
    ttlMs: 30_000,
    staleMs: 600_000,
    ask: async ({ path }) => path
  })
  const questionOf = (tenant: string, path: string) => ({ tenant, path, owner: tenant, session: { tenantId: tenant, channelId: 'web', userId: 'u1' } })
  await kept.ask(questionOf('victim', '/victim'))
  for (let user = 0; user < 12_000; user++) await kept.ask(questionOf('greedy', `/greedy/${user}`))
  t.equal(kept.lastGood(questionOf('victim', '/victim')), '/victim')
  t.equal(kept.lastGood(questionOf('greedy', '/greedy/0')), undefined, 'the tenant loses entries of its own share')
})
