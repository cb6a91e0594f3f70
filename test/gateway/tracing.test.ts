import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import t from 'tap'
import { memoryRegistry, staticProvision } from '../../lib/index.js'
import { body, buildApp, NODES, session } from '../support/build-app.js'
import { failWith } from '../support/scripted-registry.js'
import type { Test } from 'tap'
import type { TraceEvent } from '../../types/index.js'

const OPERATIONS = ['connectionInfo', 'sessions', 'registry', 'provision'] as const
const channelOf = (operation: TraceEvent['operation']) => tracingChannel<unknown, TraceEvent>(`cobrowse:${operation}`)

/** Notes the events of all channels until the end of the test. */
function listen (t: Test) {
  const names: string[] = []
  const events: TraceEvent[] = []
  for (const operation of OPERATIONS) {
    const note = (name: string) => (event: TraceEvent) => {
      names.push(`${operation} ${name}`)
      if (!events.includes(event)) events.push(event)
    }
    const subscribers = {
      start: note('start'),
      end: note('end'),
      asyncStart: note('asyncStart'),
      asyncEnd: note('asyncEnd'),
      error: note('error')
    }
    channelOf(operation).subscribe(subscribers)
    t.teardown(() => channelOf(operation).unsubscribe(subscribers))
  }
  return {
    events,
    /** Names of events, without those that only say that a function has returned. */
    steps: () => names.filter((name) => !/ (end|asyncEnd)$/.test(name)),
    eventOf: (operation: TraceEvent['operation']) => events.find((event) => event.operation === operation)
  }
}

t.test('a request – with subscribers – is published once for each operation, and nothing secret with it', async (t) => {
  const { ask, app, token } = await buildApp(t, { server: { genReqId: () => 'req-of-test' } })
  const { events, steps, eventOf } = listen(t)
  const { data } = (await ask()).json()
  t.strictSame(steps(), [
    'sessions start', 'sessions asyncStart', 'connectionInfo start', 'registry start', 'registry asyncStart',
    'connectionInfo asyncStart'
  ])
  t.strictSame(eventOf('connectionInfo'), {
    operation: 'connectionInfo',
    requestId: 'req-of-test',
    tenant: 't1',
    role: 'recorder',
    room: app.cobrowse.roomHash(body.roomId),
    node: NODES.find(({ wssUrl }) => wssUrl === data.wssUrl)?.id,
    result: undefined
  })
  t.strictSame(eventOf('registry'), { operation: 'registry', requestId: 'req-of-test', result: undefined })
  const published = JSON.stringify(events)
  for (const secret of [token, data.signature, body.userName, body.roomId]) t.notOk(published.includes(secret), secret)
})

t.test('a provision that is asked – is published, one that remembers the address is not', async (t) => {
  const provision = staticProvision('relay.example')
  const { ask } = await buildApp(t, {
    options: { provision: { ...provision, externalUrl: async (...args) => await provision.externalUrl(...args) } }
  })
  const { eventOf } = listen(t)
  await ask()
  t.match(eventOf('provision'), { operation: 'provision' })
})

t.test('a dependency that fails – is published with its error, which the caller gets as before', async (t) => {
  const registry = { ...memoryRegistry({ nodes: NODES }), assign: failWith(new Error('connect ECONNREFUSED')) }
  const { ask } = await buildApp(t, { options: { registry } })
  const { steps, eventOf } = listen(t)
  t.equal((await ask()).json().retCode, '50302')
  t.strictSame(steps().filter((step) => step.endsWith('error')), ['registry error', 'connectionInfo error'])
  for (const operation of ['registry', 'connectionInfo'] as const) {
    t.match(eventOf(operation), { error: { code: 'FST_COBROWSE_50302' } })
  }
})

t.test('a call of the decorator – has no request id', async (t) => {
  const { app } = await buildApp(t)
  const { eventOf } = listen(t)
  await app.cobrowse.connectionInfo(session, { ...body, role: 'recorder' })
  t.match(eventOf('connectionInfo'), { requestId: undefined, tenant: 't1' })
  t.equal(eventOf('sessions'), undefined)
})

t.test('a context bound to the start of a channel – reaches the adapter', async (t) => {
  const spans = new AsyncLocalStorage<string>()
  const { start } = channelOf('registry')
  start.bindStore(spans, () => 'span of the registry')
  t.teardown(() => start.unbindStore(spans))
  const inner = memoryRegistry({ nodes: NODES })
  const seen: unknown[] = []
  const { ask } = await buildApp(t, {
    options: {
      registry: {
        ...inner,
        async assign (...args) {
          seen.push(spans.getStore())
          return await inner.assign(...args)
        }
      }
    }
  })
  t.equal((await ask()).json().retCode, '0')
  t.strictSame(seen, ['span of the registry'])
})
