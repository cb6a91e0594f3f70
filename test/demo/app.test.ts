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
