import t from 'tap'
import { createDemo } from '../../demo/app.js'
import { readEnv } from '../../demo/env.js'
import { until } from '../support/until.js'

t.test('the standalone server – before it listens – has registered none of its nodes', async (t) => {
  const { app } = await createDemo(readEnv({ LOG_LEVEL: 'silent' }))
  t.teardown(() => app.close())
  const nodes = async () => (await app.inject('/demo/topology/state')).json<{ nodes: Array<{ state: string }> }>().nodes
  await app.ready()
  t.strictSame(await nodes(), [])
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(async () => (await nodes()).filter(({ state }) => state === 'serving').length === 2, 'both nodes to serve')
})

t.test('X-Forwarded-For – from a balancer that TRUST_PROXY lists – names the caller, and from others does not', async (t) => {
  const { app } = await createDemo(readEnv({ LOG_LEVEL: 'silent', TRUST_PROXY: '10.0.0.1, 10.1.0.0/16' }))
  t.teardown(() => app.close())
  let caller = ''
  app.addHook('onRequest', async ({ ip }) => { caller = ip })
  const headers = { 'x-forwarded-for': '203.0.113.7, 192.0.2.1' }
  for (const [remoteAddress, expected] of [
    ['10.0.0.1', '192.0.2.1'], ['10.1.2.3', '192.0.2.1'], ['10.2.0.1', '10.2.0.1']
  ] as const) {
    await app.inject({ url: '/healthz', remoteAddress, headers })
    t.equal(caller, expected)
  }
})
