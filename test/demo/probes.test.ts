import { Registry as MetricsRegistry } from 'prom-client'
import t from 'tap'
import { probeRoutes } from '../../demo/routes/probes.js'
import { memoryRegistry } from '../../lib/index.js'
import { buildApp, NODES } from '../support/build-app.js'
import type { Test } from 'tap'
import type { BackendStatus } from '../../types/index.js'

/** Starts a gateway with its probes; the test switches its registry off and on. */
async function start (t: Test) {
  let [state, isLeaving]: [BackendStatus['state'], boolean] = ['up', false]
  const registry = memoryRegistry({ nodes: NODES })
  const { app, ask } = await buildApp(t, {
    options: { registry: { ...registry, status: () => ({ state, since: 0, viewAgeMs: 0 }) } },
    after: async (app) => await probeRoutes(app, { metrics: new MetricsRegistry(), isLeaving: () => isLeaving })
  })
  return {
    ask,
    probe: async (path: string) => {
      const response = await app.inject(path)
      return { code: response.statusCode, ...response.json() }
    },
    lose () {
      state = 'down'
    },
    leave () {
      isLeaving = true
    }
  }
}

t.test('/readyz – registry down, rooms known – keeps the gateway with its load balancer', async (t) => {
  const { ask, probe, lose } = await start(t)
  t.match(await probe('/readyz'), { code: 200, ready: true, answers: 'all' })
  t.strictSame(await probe('/readyz/all'), { code: 200, answers: 'all' })
  t.equal((await ask()).statusCode, 200)
  lose()
  t.match(await probe('/readyz'), { code: 200, ready: true, answers: 'known-rooms', registry: { state: 'down' } })
  t.strictSame(await probe('/readyz/all'), { code: 503, answers: 'known-rooms' })
})

t.test('/readyz – registry down, no room known – takes the gateway out, and the process stays live', async (t) => {
  const { probe, lose } = await start(t)
  lose()
  t.match(await probe('/readyz'), { code: 503, ready: false, answers: 'none' })
  t.strictSame(await probe('/healthz'), { code: 200, status: 'ok' })
})

t.test('/readyz – process about to close – takes the gateway out while it still answers', async (t) => {
  const { ask, probe, leave } = await start(t)
  leave()
  t.match(await probe('/readyz'), { code: 503, ready: false, answers: 'all' })
  t.equal((await ask()).statusCode, 200)
})
