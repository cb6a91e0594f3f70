import { once } from 'node:events'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { cleanse } from '../../../lib/cli/doctor/report.js'
import { createSecrets } from '../../../lib/cli/doctor/secrets.js'
import { checkGateway, readTarget } from '../../../lib/cli/doctor/gateway.js'
import { memoryRegistry, staticProvision } from '../../../lib/index.js'
import { buildApp, session } from '../../support/build-app.js'
import { json, startHttpServer } from '../../support/http-server.js'
import { findFreePort } from '../../support/redis-server.js'
import { expectFinding, troublesIn } from './expect.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { ServerOptions } from 'ws'
import type { Target } from '../../../lib/cli/doctor/gateway.js'
import type { AuthorizeRelease } from '../../../types/index.js'

// Most of a connection is waiting.
t.jobs = 8

interface Relay {
  options?: ServerOptions
  onClient? (socket: WebSocket): void
}

/** Starts a node that is listed in the memory of a gateway. Returns what a caller needs. */
async function deploy (
  t: Test, { options, onClient }: Relay = {}, authorizeRelease?: AuthorizeRelease
): Promise<Target> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options })
  await once(server, 'listening')
  const sockets = new Set<WebSocket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    onClient?.(socket)
  })
  t.teardown(() => {
    for (const socket of sockets) socket.terminate()
    server.close()
  })
  const base = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const registry = memoryRegistry({ nodes: [{ id: 'n1', wssUrl: `${base}/ws/1` }] })
  const { end } = registry
  const { app, token } = await buildApp(t, {
    options: {
      // The node of the test hears of the end of a call at once.
      registry: {
        ...registry,
        end: async (...args) => {
          await end?.(...args)
          for (const socket of sockets) socket.close(4410, 'the call ended')
        }
      },
      provision: staticProvision(base),
      allowInsecure: true,
      ...authorizeRelease && { authorizeRelease }
    }
  })
  return { url: new URL(await app.listen({ port: 0, host: '127.0.0.1' })), user: session.userId, token }
}

async function check (target: Target) {
  const secrets = createSecrets()
  return cleanse(await checkGateway(target, WebSocket, secrets), secrets)
}

t.test('doctor – a gateway and a node that admits – sees each step of a connection', async (t) => {
  const findings = await check(await deploy(t))
  t.strictSame(findings.map(({ subject, outcome }) => `${subject} ${outcome}`), ['ask ok', 'open ok', 'admit ok', 'end ok'])
  expectFinding(t, findings, ['end', 'ok', /closed with 4410 "the call ended"/])
})

t.test('doctor – a gateway that is not there, or is another program – says so', async (t) => {
  const [port, other] = [await findFreePort(), await startHttpServer(t, json({ hello: 'you' }, 404))]
  const target = { user: 'u1', token: 'a-token' }
  const away = await check({ ...target, url: new URL(`http://127.0.0.1:${port}`) })
  expectFinding(t, away, ['ask', 'fault', /cannot be reached \(unreachable, ECONNREFUSED\)/])
  expectFinding(t, await check({ ...target, url: new URL(other.url) }), ['ask', 'fault', /answered 404 \(bad-answer\)/])
  const demo = await check({ ...target, token: undefined, url: new URL(other.url) })
  expectFinding(t, demo, ['token', 'fault', /issues none: it answers 404/])
})

t.test('doctor – a token that is refused, or repeated by the gateway – is not printed', async (t) => {
  const { url, user } = await deploy(t)
  const token = encodeURIComponent(Buffer.from(JSON.stringify({ ...session, createTime: 1 })).toString('base64'))
  expectFinding(t, await check({ url, user, token }), ['ask', 'fault', /\(40102\)/])
  const echo = await startHttpServer(t, (request, response) => {
    json({ retCode: '40102', retMsg: `bad: ${String(request.headers['ccmessaging-token'])}` }, 401)(request, response)
  })
  const findings = await check({ url: new URL(echo.url), user, token })
  expectFinding(t, findings, ['ask', 'fault', /bad: \*\*\* \(40102\)/])
})

t.test('doctor – a node that does not open, or does not admit – names the refusal', async (t) => {
  for (const [relay, ...expected] of [
    [{ options: { verifyClient: (_info, answer) => answer(false, 401) } }, 'open', 'fault', /refused with HTTP 401/],
    [{ options: { handleProtocols: () => false } }, 'open', 'fault', /does not open|without the sub-protocol/],
    [{ onClient: (socket) => socket.close(4401, 'bad signature') }, 'admit', 'fault', /closed with 4401 "bad signature"/]
  ] as Array<[Relay, 'open' | 'admit', 'fault', RegExp]>) {
    const findings = await check(await deploy(t, relay))
    expectFinding(t, findings, expected)
    t.strictSame(troublesIn(findings), [`fault ${expected[0]}`])
  }
})

t.test('doctor – a node that repeats the signature – does not print it', async (t) => {
  const target = await deploy(t, { onClient: (socket) => socket.close(4401, 'eyJ') })
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  await once(server, 'listening')
  const signature = `eyJ${'s'.repeat(200)}`
  server.on('connection', (socket) => socket.close(4401, `no: ${signature.slice(0, 100)}`))
  const wssUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gateway = await startHttpServer(t, json({ retCode: '0', data: { wssUrl, wssUrlOut: wssUrl, signature } }))
  const findings = await check({ ...target, url: new URL(gateway.url) })
  expectFinding(t, findings, ['admit', 'fault', /closed with 4401 "no: \*\*\*"/])
})

t.test('doctor – a user who may not end calls – is a warning', async (t) => {
  const findings = await check(await deploy(t, {}, () => false))
  expectFinding(t, findings, ['end', 'warning', /does not end the call: .*\(40301\)/])
})

t.test('doctor – arguments of a gateway that do not fit – name the argument', async (t) => {
  const url = 'http://127.0.0.1:1'
  for (const [values, message] of [
    [{ gateway: 'gateway' }, /--gateway must be a URL/],
    [{ gateway: 'http://user:hush@127.0.0.1' }, /--gateway must be a URL.* without credentials/],
    [{ gateway: url, user: 'u' }, /--gateway needs --token, or COBROWSE_TOKEN/],
    [{ gateway: url, token: 't' }, /--gateway needs --user/]
  ] as const) {
    t.throws(() => readTarget(values), { name: 'UsageError', message })
  }
  t.match(readTarget({ demo: true }), { user: 'doctor', token: undefined, url: { host: '127.0.0.1:8446' } })
})
