import Fastify from 'fastify'
import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { cobrowse, httpProvision, memoryRegistry, memorySessions, staticProvision } from '../../lib/index.js'
import { address, startHttpServer } from '../support/http-server.js'
import { body, buildApp, defaults, NODES, session } from '../support/build-app.js'
import { silentLog } from '../support/silent-log.js'
import { eventually } from '../support/until.js'
import type { FastifyInstance } from 'fastify'
import type { Adapter, BackendStatus, CobrowseOptions } from '../../types/index.js'

const shared = () => {
  const { sessions, registry, provision } = defaults()
  return { sessions, registry, provision }
}

function logTo (lines: string[]) {
  return { logger: { level: 'info', stream: { write (line: string) { lines.push(line) } } } }
}

const statesIn = (lines: string[]) => lines.map((line) => JSON.parse(line)).filter(({ state }) => state !== undefined)
  .map(({ dependency, state }) => `${dependency} ${state}`)

/** Reads the values of one metric, by its label. */
function readerOf (metrics: PromRegistry) {
  return async (name: string): Promise<Record<string, number>> => {
    const lines = (await metrics.metrics()).split('\n').filter((line) => new RegExp(`^${name}[ {]`).test(line))
    return Object.fromEntries(lines.map((line) => [/"(\w+)"/.exec(line)?.[1] ?? '', Number(line.split(' ')[1])]))
  }
}

/** Builds an application whose start fails, before the plugin's own or after it. */
async function startInVain (options: Partial<CobrowseOptions>, when: 'before' | 'after'): Promise<void> {
  const app: FastifyInstance = Fastify()
  const fail = async () => { throw new Error('of another plugin') }
  if (when === 'before') app.addHook('onReady', fail)
  await app.register(cobrowse, { ...defaults(), ...options })
  if (when === 'after') app.addHook('onReady', fail)
  await app.ready().then(() => { throw new Error('it started') }, () => {})
  await app.close()
}

t.test('a shared adapter – another instance fails before or after its start – stays open', async (t) => {
  const options = shared()
  const { app } = await buildApp(t, { options })
  for (const when of ['before', 'after'] as const) {
    await startInVain(options, when)
    const { sessions, registry, provision } = app.cobrowse.status()
    t.strictSame([sessions, registry, provision].map(({ state }) => state), ['up', 'up', 'up'], when)
    const room = { ...body, role: 'recorder' as const, roomId: `after-${when}` }
    t.match(await app.cobrowse.connectionInfo(session, room), { roomId: room.roomId }, 'a new room is answered')
  }
  await app.close()
  t.equal(options.registry.status().state, 'closed', 'the last instance closes it')
})

t.test('an adapter that fails to start – is not closed, and those started before it are', async (t) => {
  const started: string[] = []
  const closed: string[] = []
  const spy = <Kind extends Adapter>(name: string, adapter: Kind): Kind => ({
    ...adapter,
    start () {
      if (name === 'registry') throw new Error('it cannot start')
      started.push(name)
    },
    close: async () => { closed.push(name) }
  })
  const { sessions, registry, provision } = shared()
  const app = Fastify()
  await app.register(cobrowse, {
    ...defaults(),
    sessions: spy('sessions', sessions),
    registry: spy('registry', registry),
    provision: spy('provision', provision)
  })
  await t.rejects(async () => await app.ready(), { message: 'it cannot start' })
  await app.close()
  t.strictSame([started, closed], [['sessions'], ['sessions']])
})

t.test('a closed instance – gets no more state changes, and the next one takes over its log', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  let report = (_state: BackendStatus['state']) => {}
  const listeners: Array<(status: BackendStatus) => void> = []
  // Simulates an adapter of the host that notifies every instance that ever started it.
  const sessions = {
    ...memorySessions(),
    start ({ onState }: { onState (status: BackendStatus): void }) {
      listeners.push(onState)
      report = (state) => { for (const listener of listeners) listener({ state, since: 0 }) }
    }
  }
  const first: string[] = []
  const second: string[] = []
  const one = await buildApp(t, { server: logTo(first), options: { registry, sessions } })
  await buildApp(t, { server: logTo(second), options: { registry, sessions } })
  await one.app.close()
  const before = [first.length, second.length]
  report('down')
  t.equal(first.length, before[0])
  t.strictSame(statesIn(second.slice(before[1])), ['sessions down'])
  t.notOk(statesIn(second).includes('registry closed'))
})

t.test('a shared adapter – follows the rules and the log of the open instances', async (t) => {
  const { url } = await startHttpServer(t, address('entry.example'))
  const provision = httpProvision({ url, ttl: 0.001, timeout: 5000 })
  const warned: string[] = []
  const context = (name: string, accepted: string) => ({
    log: { ...silentLog, info: () => { warned.push(name) } },
    onState: ({ state }: BackendStatus) => { warned.push(`${name} ${state}`) },
    acceptsAddress: (wssUrl: string) => wssUrl.includes(accepted)
  })
  const [wide, narrow] = [context('wide', 'entry'), context('narrow', 'other')]
  provision.start(wide)
  provision.start(narrow)
  const node = { id: 'n1', incarnation: 'i', wssUrl: 'wss://10.0.0.1/ws' }
  const ask = async () =>
    await provision.externalUrl(node, session, AbortSignal.timeout(10_000)).catch((error) => error.cause.message)
  t.equal(await ask(), 'wss://entry.example/ws')
  await provision.close(wide)
  await provision.close(wide)
  t.equal(provision.status().state, 'up', 'closed once by each')
  warned.length = 0
  await provision.close({ ...wide })
  t.equal(provision.status().state, 'up', 'an instance that never started it closes nothing')
  await provision.close(narrow)
  t.strictSame(warned, ['narrow closed'])
})

t.test('instances with a shared prom-client registry – share the gauges, each adapter counted once', async (t) => {
  const metrics = new PromRegistry()
  const valuesOf = readerOf(metrics)
  const registry = memoryRegistry({ nodes: NODES })
  const three = memoryRegistry({ nodes: ['a', 'b', 'c'].map((id) => ({ id, wssUrl: `wss://${id}.example/ws` })) })
  let state: BackendStatus['state'] = 'up'
  const provision = { ...staticProvision('x.example'), status: () => ({ state, since: 0 }) }
  const first = await buildApp(t, { options: { metrics, registry } })
  const second = await buildApp(t, { options: { metrics, registry, provision } })
  t.strictSame(await valuesOf('cobrowse_nodes'), { serving: 2, full: 0, draining: 0 }, 'one adapter')
  const third = await buildApp(t, { options: { metrics, registry: three } })
  t.strictSame(await valuesOf('cobrowse_nodes'), { serving: 5, full: 0, draining: 0 }, 'two adapters')
  t.strictSame(await valuesOf('cobrowse_dependency_up'), { sessions: 1, registry: 1, provision: 1 })
  state = 'down'
  t.strictSame(await valuesOf('cobrowse_dependency_up'), { sessions: 1, registry: 1, provision: 0 }, 'one of them is down')
  t.match(await metrics.metrics(), 'cobrowse_dependency_state{dependency="provision",state="up"} 2')
  t.match(await metrics.metrics(), 'cobrowse_dependency_state{dependency="provision",state="down"} 1')
  await second.app.close()
  t.strictSame(await valuesOf('cobrowse_dependency_up'), { sessions: 1, registry: 1, provision: 1 })
  await first.app.close()
  t.strictSame(await valuesOf('cobrowse_nodes'), { serving: 3, full: 0, draining: 0 }, 'the first one closed')
  t.strictSame(await valuesOf('cobrowse_dependency_up'), { sessions: 1, registry: 1, provision: 1 })
  await third.app.close()
  t.strictSame(await valuesOf('cobrowse_nodes'), {})
})

t.test('instances with a shared prom-client registry – requests in flight in each – add them up', async (t) => {
  const metrics = new PromRegistry()
  const valuesOf = readerOf(metrics)
  let answer = () => {}
  const answered = new Promise<void>((resolve) => { answer = resolve })
  const sessions = {
    ...memorySessions(),
    async find () {
      await answered
      return session
    }
  }
  const [first, second] = [
    await buildApp(t, { options: { metrics, sessions, maxInFlight: 3, timeout: 60_000 } }),
    await buildApp(t, { options: { metrics, sessions, maxInFlight: 4, timeout: 60_000 } })
  ]
  t.strictSame(await valuesOf('cobrowse_in_flight_limit'), { '': 7 })
  const asked = [first.ask(), second.ask(), second.ask()]
  await eventually(async () => await valuesOf('cobrowse_in_flight'), { '': 3 })
  answer()
  t.strictSame((await Promise.all(asked)).map(({ statusCode }) => statusCode), [200, 200, 200])
  t.strictSame(await valuesOf('cobrowse_in_flight'), { '': 0 })
})
