import { createServer } from 'node:http'
import t from 'tap'
import { readAgents } from '../../demo/agents.js'
import { createDemo } from '../../demo/app.js'
import { readEnv } from '../../demo/env.js'
import { PATH } from '../support/build-app.js'
import { readBlocks } from '../support/doc-blocks.js'
import { until } from '../support/until.js'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const RELEASE = PATH.replace('getConnectionInfo', 'releaseConnection')
const beyond = {
  HOST: '0.0.0.0', COBROWSE_KEY: 'a key of the operator, long enough', PUBLIC_URL: 'wss://cobrowse.example', LOG_LEVEL: 'silent'
}

/** Starts the standalone server as it runs beyond loopback, with its tokens in memory. */
async function start (t: Test, env: Record<string, string>, common: Record<string, string> = beyond) {
  const { app, issueToken } = await createDemo(readEnv({ LOG_LEVEL: 'silent', ...common, ...env }))
  t.teardown(() => app.close())
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => app.cobrowseRegistry.nodes().length > 0, 'the nodes of the demo register')

  async function post (url: string, userId: string, payload: object, channelId = 'web'): Promise<string> {
    const token = await issueToken({ tenantId: 'bank', channelId, userId })
    return (await app.inject({ method: 'POST', url, headers: { 'ccmessaging-token': token }, payload })).json().retCode
  }
  return {
    app,
    ask: async (userId: string, role: string, { as = userId, channel = 'web' } = {}) =>
      await post(PATH, userId, { roomId: 'call-1', userId: as, userName: 'U', role }, channel),
    end: async (userId: string) => await post(RELEASE, userId, { callId: 'call-1' })
  }
}

t.test('AGENTS – a customer – shares, and neither watches nor ends a call', async (t) => {
  const { app, ask, end } = await start(t, { AGENTS: 'agent-*, u7 ,channel:desk' })
  t.equal(await ask('customer-1', 'recorder'), '0')
  t.equal(await ask('customer-2', 'replayer'), '40301')
  t.equal(await end('customer-2'), '40301')
  t.equal(await ask('agent-1', 'replayer', { as: 'customer-1' }), '40301', 'a session cannot act for another user')
  for (const agent of ['agent-1', 'u7']) t.equal(await ask(agent, 'replayer'), '0')
  t.equal(await ask('customer-2', 'replayer', { channel: 'desk' }), '0')
  t.equal(await end('agent-1'), '0')
  for (const url of ['/', '/demo/agent', '/demo/assets/agent.html', '/demo/topology/state']) {
    t.equal((await app.inject(url)).statusCode, 404, `${url} is for loopback only`)
  }
  t.equal((await app.inject({ method: 'POST', url: '/demo/session', payload: { userId: 'agent-1' } })).statusCode, 404)
})

t.test('AGENTS – entries of both kinds with a star – match whole ids', async (t) => {
  const session = { tenantId: 't', channelId: 'web', userId: 'agent-1' }
  const matches = (list: string, userId = 'agent-1', channelId = 'web') =>
    readAgents(list)({ ...session, userId, channelId })
  for (const list of ['agent-1', 'agent-*', '*-1', 'a*1', '*', 'user:agent-1', 'channel:web', 'channel:w*', 'x,agent-1']) {
    t.ok(matches(list), list)
  }
  for (const list of ['agent-', 'gent-1', 'agent-1*1', 'AGENT-1', 'web', 'channel:agent-1', 'channel:we', 'agent.1']) {
    t.notOk(matches(list), list)
  }
  t.ok(matches('user:channel:desk', 'channel:desk'))
  t.notOk(matches('channel:desk', 'channel:desk'), 'a user cannot take the name of a channel')
})

type Answer = (response: ServerResponse, request: IncomingMessage) => void

async function startService (t: Test) {
  const asked: unknown[] = []
  const service = { answer: ((response) => response.end('{"allowed":true}')) as Answer }
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { method, url, headers } = request
    asked.push({ method, url, type: headers['content-type'], body: body === '' ? undefined : JSON.parse(body) })
    service.answer(response, request)
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close().closeAllConnections())
  await new Promise((resolve) => server.once('listening', resolve))
  return { service, asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/may?key=k` }
}

t.test('AUTHORIZE_URL – any question – sends exactly the facts of the decision', async (t) => {
  const { asked, url } = await startService(t)
  const { ask, end } = await start(t, { AUTHORIZE_URL: url })
  t.equal(await ask('customer-1', 'recorder'), '0')
  t.equal(await end('agent-1'), '0')
  const common = { method: 'POST', url: '/may?key=k', type: 'application/json; charset=utf-8' }
  const session = { tenantId: 'bank', channelId: 'web' }
  t.strictSame(asked, [
    { ...common, body: { action: 'connect', ...session, userId: 'customer-1', roomId: 'call-1', role: 'recorder' } },
    { ...common, body: { action: 'end', ...session, userId: 'agent-1', roomId: 'call-1' } }
  ])
  const documented = readBlocks('demo/README.md').find(({ language }) => language === 'json')?.code ?? ''
  t.strictSame(Object.keys(JSON.parse(documented)), ['action', 'tenantId', 'channelId', 'userId', 'roomId', 'role'])
  t.equal(await ask('customer-1', 'recorder', { as: 'customer-2' }), '40301', 'the service is not asked for another user')
  t.equal(asked.length, 2)
})

t.test('AUTHORIZE_URL – any answer or none – only a clear yes permits', async (t) => {
  const { service, url } = await startService(t)
  const { ask, end } = await start(t, { AUTHORIZE_URL: url })
  const cases: Array<[string, string, Answer]> = [
    ['yes', '0', (response) => response.end('{"allowed":true,"more":1}')],
    ['no', '40301', (response) => response.end('{"allowed":false}')],
    ['403', '40301', (response) => response.writeHead(403).end('no')],
    ['a word', '50306', (response) => response.end('{"allowed":"true"}')],
    ['no object', '50306', (response) => response.end('null')],
    ['no JSON', '50306', (response) => response.end('<html>')],
    ['nothing', '50306', (response) => response.end()],
    ['another status', '50306', (response) => response.writeHead(201).end('{"allowed":true}')],
    ['no content', '50306', (response) => response.writeHead(204).end()],
    ['a redirect', '50306', (response) => response.writeHead(307, { location: '/yes' }).end('{"allowed":true}')],
    ['a failure', '50306', (response) => response.writeHead(500).end('{"allowed":true}')],
    ['a long answer', '50306', (response) => response.end(`{"allowed":true,"x":"${'x'.repeat(5000)}"}`)],
    ['silence', '50306', () => {}],
    ['a head alone', '50306', (response) => response.writeHead(200).write('{')],
    ['a reset', '50306', (response) => response.destroy()]
  ]
  for (const [what, retCode, answer] of cases) {
    service.answer = answer
    t.equal(await ask('customer-1', 'recorder'), retCode, what)
    t.equal(await end('customer-1'), retCode, `${what}, at the end of a call`)
  }
})

t.test('the sample key – with an external address beyond loopback – signs nothing', async (t) => {
  const { service, url } = await startService(t)
  let address = 'relay.example'
  service.answer = (response) => response.end(JSON.stringify({ data: { address } }))
  for (const [retCode, more] of [['50304', {}], ['0', { COBROWSE_KEY: beyond.COBROWSE_KEY }]] as const) {
    const { ask } = await start(t, { ...more, HOST: '127.0.0.1', PROVISION_URL: url }, {})
    t.equal(await ask('customer-1', 'recorder'), retCode)
  }
  address = 'ws://127.0.0.1:8446'
  t.equal(await (await start(t, { HOST: '127.0.0.1', PROVISION_URL: url }, {})).ask('customer-1', 'recorder'), '0')
})

t.test('AUTHORIZE_URL – service unavailable – rejects for now, and never permits', async (t) => {
  const { ask } = await start(t, { AUTHORIZE_URL: 'http://127.0.0.1:1/' })
  t.equal(await ask('customer-1', 'recorder'), '50306')
})
