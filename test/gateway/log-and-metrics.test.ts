import { execFileSync } from 'node:child_process'
import { Registry } from 'prom-client'
import t from 'tap'
import { memoryRegistry, staticProvision } from '../../lib/index.js'
import { body, buildApp, NODES, signing } from '../support/build-app.js'
import { readBlocks } from '../support/doc-blocks.js'
import type { BackendStatus } from '../../types/index.js'

const SECRETS = [body.roomId, body.userName, signing.keys[0]?.secret ?? '', 'p4ssw0rd']

function logOf () {
  const lines: string[] = []
  const server = {
    requestTimeout: 1000, logger: { level: 'trace', stream: { write (line: string) { lines.push(line) } } }
  }
  return { server, lines, ours: () => lines.filter((line) => line.includes('co-browsing request')).map((line) => JSON.parse(line)) }
}

t.test('a rejected or failed request – has one log line with reason and user, and nothing secret', async (t) => {
  const { server, lines, ours } = logOf()
  // ioredis attaches the command and its arguments to the error.
  const error = Object.assign(new Error('WRONGPASS for p4ssw0rd'), {
    name: 'ReplyError', command: { name: 'auth', args: ['p4ssw0rd'] }
  })
  const registry = { ...memoryRegistry(), assign: async () => { throw error } }
  const { ask, token } = await buildApp(t, { server, options: { registry } })
  await ask()
  await ask({ payload: '{"roomId":"' + body.roomId })
  await ask({ headers: { cookie: 'ccmessaging-token=forged%3D' } })
  t.match(ours(), [
    {
      level: 40,
      outcome: 'failed',
      retCode: '50302',
      tenant: 't1',
      room: /^[\w-]{16}$/,
      timings: { sessions: Number, registry: Number },
      reason: /ReplyError WRONGPASS$/
    },
    { level: 30, outcome: 'refused', retCode: '40001' },
    { level: 30, outcome: 'refused', retCode: '40102' }
  ])
  for (const secret of [...SECRETS, token, 'forged']) t.notMatch(lines.join(''), secret)
})

t.test('a line of the plugin – names the plugin; a line of a request – its id as well', async (t) => {
  const { server, lines, ours } = logOf()
  const { ask } = await buildApp(t, { server: { ...server, genReqId: () => 'req-of-test' } })
  await ask({ headers: { cookie: '' } })
  t.match(ours(), [{ plugin: 'fastify-cobrowse', reqId: 'req-of-test', retCode: '40101' }])
  const ofBackends = lines.map((line) => JSON.parse(line)).filter(({ dependency }) => dependency !== undefined)
  t.ok(ofBackends.length > 0)
  for (const line of ofBackends) t.match(line, { plugin: 'fastify-cobrowse' })
})

t.test('the hash of a room – from the decorator, and by the documented command – is the one in the log', async (t) => {
  const { server, ours } = logOf()
  const { ask, app } = await buildApp(t, { server, options: { authorize: () => false } })
  await ask()
  const hash = app.cobrowse.roomHash(body.roomId)
  t.strictSame(ours().map(({ room }) => room), [hash])
  const command = readBlocks('docs/operations.md').find(({ code }) => code.includes('openssl'))?.code ?? ''
  const env = { ...process.env, ROOM: body.roomId, COBROWSE_KEY: signing.keys[0]?.secret ?? '' }
  t.equal(execFileSync('bash', ['-c', command], { env, encoding: 'utf8' }).trim(), hash)
})

t.test('a defect – is logged as an error, with the places of its stack and nothing that its message quotes', async (t) => {
  const { server, lines, ours } = logOf()
  const { ask } = await buildApp(t, {
    server,
    options: {
      authorize (_session, { userName }) {
        throw new TypeError(`of the host: ${userName}\n    at ${userName}`, { cause: new SyntaxError(userName) })
      }
    }
  })
  await ask()
  t.match(ours(), [{ level: 50, retCode: '50001', reason: 'TypeError < SyntaxError', stack: /^ {4}at .*log-and-metrics\.test/ }])
  for (const secret of SECRETS) t.notMatch(lines.join(''), secret)
})

t.test('a host error – its code like those of the catalogue – is a defect, and its message is not sent', async (t) => {
  const { ask } = await buildApp(t, {
    options: { authorize () { throw Object.assign(new Error('of the host'), { code: 'FST_COBROWSE_99999' }) } }
  })
  t.strictSame((await ask()).json(), { retCode: '50001', retMsg: 'internal error' })
})

t.test('a change of a backend’s state – has one log line', async (t) => {
  const { server, lines } = logOf()
  let report: ((state: 'up' | 'down', reason?: string) => void) | undefined
  const provision: ReturnType<typeof staticProvision> = {
    ...staticProvision('x.example'),
    start ({ onState }) {
      report = (state, reason) => onState({ state, since: 0, ...(reason !== undefined && { reason }) })
    }
  }
  await buildApp(t, { server, options: { provision } })
  report?.('down', 'refused')
  report?.('up')
  const states = lines.map((line) => JSON.parse(line)).filter(({ dependency }) => dependency === 'provision')
  t.match(states, [
    { level: 40, state: 'down', reason: 'refused', msg: 'provision down' }, { level: 30, state: 'up', msg: 'provision up' }
  ])
})

t.test('metrics – count answers, dependencies, nodes and signatures, and name neither room nor user', async (t) => {
  const metrics = new Registry()
  const { ask, app } = await buildApp(t, { options: { metrics } })
  await ask()
  await ask({ payload: {} })
  const text = await metrics.metrics()
  for (const line of [
    'cobrowse_requests_total{outcome="ok",ret_code="0"} 1',
    'cobrowse_requests_total{outcome="refused",ret_code="40001"} 1',
    'cobrowse_request_duration_seconds_count 2',
    'cobrowse_dependency_duration_seconds_count{dependency="sessions"} 1',
    'cobrowse_dependency_duration_seconds_count{dependency="registry"} 1',
    'cobrowse_dependency_duration_seconds_count{dependency="provision"} 1',
    'cobrowse_dependency_up{dependency="registry"} 1',
    'cobrowse_dependency_state{dependency="registry",state="up"} 1',
    'cobrowse_dependency_state{dependency="registry",state="down"} 0',
    'cobrowse_ready 1',
    'cobrowse_registry_view_age_seconds 0',
    `cobrowse_nodes{state="serving"} ${NODES.length}`,
    'cobrowse_nodes{state="full"} 0',
    'cobrowse_nodes{state="draining"} 0',
    'cobrowse_node_records_rejected_total 0',
    'cobrowse_in_flight 0',
    'cobrowse_in_flight_limit 1000',
    'cobrowse_signatures_issued_total{kind="normal"} 1'
  ]) t.match(text, line)
  t.notMatch(text, body.roomId)
  t.notMatch(text, /"u1"/)
  await t.resolves(buildApp(t, { options: { metrics } }), 'a second instance shares the metrics')
  await app.close()
})

t.test('metrics – a registry that is settling, and one that is down – show the state, and whether to send requests', async (t) => {
  const metrics = new Registry()
  let state: BackendStatus['state'] = 'degraded'
  const registry = { ...memoryRegistry({ nodes: NODES }), status: () => ({ state, since: 0 }) }
  await buildApp(t, { options: { metrics, registry } })
  const settling = await metrics.metrics()
  t.match(settling, 'cobrowse_dependency_state{dependency="registry",state="degraded"} 1')
  t.match(settling, 'cobrowse_dependency_state{dependency="registry",state="up"} 0')
  t.match(settling, 'cobrowse_dependency_up{dependency="registry"} 1')
  t.match(settling, 'cobrowse_ready 1')
  state = 'down'
  const down = await metrics.metrics()
  t.match(down, 'cobrowse_dependency_state{dependency="registry",state="down"} 1')
  t.match(down, 'cobrowse_ready 0')
})

t.test('metrics – nodes that are full or draining – are not counted as serving', async (t) => {
  const metrics = new Registry()
  const nodes = [
    { id: 'free', capacity: 2, rooms: 1 }, { id: 'full', capacity: 2, rooms: 2 }, { id: 'draining', draining: true }
  ].map((record) => ({ ...record, wssUrl: `wss://${record.id}.example/ws` }))
  await buildApp(t, { options: { metrics, registry: memoryRegistry({ nodes }) } })
  const text = await metrics.metrics()
  for (const state of ['serving', 'full', 'draining']) t.match(text, `cobrowse_nodes{state="${state}"} 1`)
})

t.test('a node record that an adapter rejects – is counted', async (t) => {
  const metrics = new Registry()
  const registry = memoryRegistry({ nodes: NODES })
  await buildApp(t, {
    options: {
      metrics,
      registry: {
        ...registry,
        start (context) {
          registry.start(context)
          context.onRejectedRecord?.()
          context.onRejectedRecord?.()
        }
      }
    }
  })
  t.match(await metrics.metrics(), 'cobrowse_node_records_rejected_total 2')
})
