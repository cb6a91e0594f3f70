import t from 'tap'
import { until } from '../support/until.js'
import { ask, PATH, post, startExample } from './start-example.js'

const LISTENS = /Server listening/

t.test('the gateway – beside five plugins of its own – answers, limits and describes both routes', async (t) => {
  const example = await startExample(t, 'gateway/server.js', LISTENS)
  const { status, headers, body } = await ask(example, 'customer-1', 'recorder')
  t.strictSame([status, body.retCode, body.data.wssUrlOut], [200, '0', 'wss://relay.example/ws/cobrowse/1'])
  t.equal(headers.get('x-frame-options'), 'SAMEORIGIN', '@fastify/helmet')
  t.equal(headers.get('x-ratelimit-limit'), '60', '@fastify/rate-limit, with the limit of the route')
  t.equal((await ask(example, 'agent-1', 'replayer')).status, 200)
  t.equal((await ask(example, 'customer-2', 'replayer')).body.retCode, '40301', 'a customer may not watch')
  t.equal((await post(`${example.base}/login`, { userId: '' })).status, 400, 'other routes keep their form of errors')

  const get = async (path: string) => JSON.parse(await (await fetch(example.base + path)).text())
  t.strictSame(await get('/healthz'), { status: 'ok' }, '@fastify/under-pressure')
  t.strictSame(await get('/readyz'), { answers: 'all' })
  t.ok((await get('/openapi.json')).paths[PATH], '@fastify/swagger')

  let refused = await ask(example, 'customer-1', 'recorder')
  await until(async () => {
    refused = await ask(example, 'customer-1', 'recorder')
    return refused.status !== 200
  }, 'the limit of 60 is reached')
  t.strictSame([refused.status, refused.body.retCode], [429, '42901'])
  t.equal(await example.stop(), 0)
})

t.test('the gateway – behind a load balancer – knows its callers, and leaves only after READY_DELAY', async (t) => {
  const example = await startExample(t, 'gateway/server.js', LISTENS, { TRUST_PROXY: '127.0.0.1', READY_DELAY: '1000' })
  const readyz = async () => await fetch(`${example.base}/readyz`, { headers: { 'x-forwarded-for': '203.0.113.7' } })
  t.equal((await readyz()).status, 200)
  await until(() => example.output().includes('"remoteAddress":"203.0.113.7"'), 'the log to name the caller')

  const stopped = example.stop()
  await until(async () => (await readyz()).status === 503, 'the answer 503')
  t.equal((await ask(example, 'customer-1', 'recorder')).body.retCode, '0', 'requests are answered as before')
  t.equal(await stopped, 0)
})

t.test('the CommonJS application – loads the package by require() – answers itself, and stops', async (t) => {
  const example = await startExample(t, 'commonjs/server.js', /"retCode":"0"/)
  t.match(example.output(), '"wssUrlOut":"wss://relay.example/ws/cobrowse/1"')
  t.equal(await example.stop(), 0)
})
