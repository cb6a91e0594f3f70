import t from 'tap'
import { memoryRegistry, memorySessions } from '../../lib/index.js'
import { buildApp, defaults, NODES } from '../support/build-app.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { BackendStatus, CobrowseOptions } from '../../types/index.js'

type State = BackendStatus['state']

/** Starts a gateway whose backends report and do as the test says. */
async function start (t: Test, more: Partial<CobrowseOptions> = {}) {
  const states: Record<'sessions' | 'registry' | 'provision', State> = { sessions: 'up', registry: 'up', provision: 'up' }
  let viewAgeMs = 0
  const status = (name: keyof typeof states) => (): BackendStatus => ({ state: states[name], since: 0, viewAgeMs })
  const registry = memoryRegistry({ nodes: NODES })
  const assign: typeof registry.assign = async (...args) => {
    if (states.registry === 'down') throw new Error('away')
    return await registry.assign(...args)
  }
  const { app, ask } = await buildApp(t, {
    options: {
      sessions: { ...memorySessions(), find: async () => ({ tenantId: 't1', channelId: 'web', userId: 'u1' }), status: status('sessions') },
      registry: { ...registry, assign, status: status('registry') },
      provision: { ...defaults().provision, status: status('provision') },
      ...more
    }
  })
  return {
    app,
    states,
    retCode: async () => (await ask()).json().retCode,
    answers () {
      const { ready, answers } = app.cobrowse.status()
      t.equal(ready, answers !== 'none', 'a load balancer follows the answer')
      return answers
    },
    ageView (ms: number) {
      viewAgeMs = ms
    }
  }
}

t.test('a registry that is down – known rooms – are answered, and reported as answerable', async (t) => {
  const { states, answers, retCode, ageView } = await start(t)
  t.equal(answers(), 'all')
  states.registry = 'down'
  t.equal(answers(), 'none', 'no room is known at first')
  t.equal(await retCode(), '50302')
  states.registry = 'up'
  t.equal(await retCode(), '0')
  states.registry = 'down'
  t.equal(answers(), 'known-rooms')
  t.equal(await retCode(), '0')
  ageView(600_001)
  t.equal(answers(), 'none', 'the view is older than joinOnlyFor')
  t.equal(await retCode(), '50302')
})

t.test('a registry that is down – join-only answers switched off – leaves nothing to answer', async (t) => {
  const { states, answers, retCode } = await start(t, { joinOnlyFor: 0 })
  t.equal(await retCode(), '0')
  states.registry = 'down'
  t.equal(answers(), 'none')
})

t.test('each other state of a backend – determines how much can be answered', async (t) => {
  const { states, answers } = await start(t)
  states.registry = 'degraded'
  t.equal(answers(), 'known-rooms')
  states.registry = 'starting'
  t.equal(answers(), 'none')
  states.registry = 'up'
  for (const state of ['starting', 'down', 'closed'] as const) {
    states.sessions = state
    t.equal(answers(), 'none', `token store ${state}`)
  }
  states.sessions = 'degraded'
  states.provision = 'down'
  t.equal(answers(), 'all', 'cached answers replace CC-Provision')
})

t.test('an application that closes – any state of its backends – answers nothing', async (t) => {
  const { app, answers, retCode } = await start(t)
  t.equal(await retCode(), '0')
  const closed = app.close()
  await until(() => answers() === 'none', 'no answers')
  await closed
})
