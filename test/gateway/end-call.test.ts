import swagger from '@fastify/swagger'
import { Registry as PromRegistry } from 'prom-client'
import t from 'tap'
import { memoryRegistry, memorySessions, RegistrySettlingError } from '../../lib/index.js'
import { body, buildApp, NODES, session } from '../support/build-app.js'
import { pastStalls } from '../support/past-stalls.js'
import { failWith } from '../support/scripted-registry.js'
import type { InjectOptions } from 'fastify'
import type { Test } from 'tap'
import type { AppSetup } from '../support/build-app.js'
import type { Registry, RoomKey } from '../../types/index.js'

const RELEASE_PATH = '/service-cloud/rest/webadapter/v1/connectionInfo/releaseConnection'
const call = { callId: body.roomId }
const never = () => new Promise<never>(() => {})

/** Starts a gateway; `released` lists the rooms that its registry was asked to end. */
async function build (t: Test, { options, ...setup }: AppSetup = {}, instead?: () => Promise<void>) {
  const released: RoomKey[] = []
  const registry: Registry = {
    ...memoryRegistry({ nodes: NODES }),
    async end (room) {
      released.push(room)
      await instead?.()
    }
  }
  const { app, ask } = await buildApp(t, { ...setup, options: { registry, ...options } })
  const end = async (change: InjectOptions = {}) => await ask({ url: RELEASE_PATH, payload: call, ...change })
  return { app, ask, end, registry, released }
}

t.test('one POST – ends the call: its room is ended, and the answer has only retCode 0', async (t) => {
  const { end, released } = await build(t)
  const response = await end()
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), { retCode: '0' })
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.headers['cache-control'], 'no-store')
  t.strictSame(released, [{ tenant: 't1', room: body.roomId }])
})

t.test('a node – its room ended – is notified, and a room that is not or no longer bound is no error', async (t) => {
  const registry = memoryRegistry()
  const node = await registry.join({ id: 'n', wssUrl: 'wss://10.0.0.1/ws' })
  const heard: RoomKey[] = []
  node.on('ended', (room) => heard.push(room))
  const { ask, end } = await build(t, { options: { registry } })
  t.strictSame((await end()).json(), { retCode: '0' }, 'not bound')
  await ask()
  t.equal(await node.claim({ tenant: 't1', room: body.roomId }), 'ok')
  t.strictSame((await end()).json(), { retCode: '0' })
  t.strictSame(heard, [{ tenant: 't1', room: body.roomId }])
  t.strictSame((await end()).json(), { retCode: '0' }, 'released already')
})

t.test('a body that does not name a call – is rejected, and further fields are ignored', async (t) => {
  const { end, released } = await build(t)
  const rule = /^callId must be a string of 1 to 64 characters/
  const wrong: Array<[NonNullable<InjectOptions['payload']>, RegExp]> = [
    [{}, rule],
    [{ callId: '' }, rule],
    [{ callId: 'x'.repeat(65) }, rule],
    [{ callId: 'a b' }, rule],
    [{ callId: 'a\n' }, rule],
    [{ callId: 12345 }, rule],
    [{ callId: ['a'] }, rule],
    [{ callId: null }, rule],
    [{ roomId: body.roomId }, rule],
    ['[]', /^the body must be a JSON object/],
    ['"x"', /^the body must be a JSON object/],
    ['{', /^the body must be a JSON object/],
    ['{"callId":"a","__proto__":{"x":1}}', /^the body must be a JSON object/],
    ['', /^the body must be a JSON object/]
  ]
  for (const [payload, retMsg] of wrong) t.match((await end({ payload })).json(), { retCode: '40001', retMsg })
  t.equal((await end({ payload: { ...call, more: 'x'.repeat(4096) } })).json().retCode, '41301')
  t.equal((await end({ headers: { 'content-type': 'text/plain' } })).json().retCode, '41501')
  t.strictSame(released, [])
  t.strictSame((await end({ payload: { ...call, userId: 'somebody', force: true } })).json(), { retCode: '0' })
})

t.test('a caller that is not signed in, or asks from a foreign page – ends nothing', async (t) => {
  const { end, released } = await build(t)
  t.equal((await end({ headers: { cookie: '' } })).json().retCode, '40101')
  t.equal((await end({ headers: { cookie: 'ccmessaging-token=bm90IGEgdG9rZW4%3D' } })).json().retCode, '40102')
  t.equal((await end({ headers: { origin: 'https://evil.test' } })).json().retCode, '40302')
  const unknown = await build(t, { options: { sessions: { ...memorySessions(), find: failWith(new Error('away')) } } })
  t.equal((await unknown.end()).json().retCode, '50305')
  t.strictSame([...released, ...unknown.released], [])
})

t.test('a user allowed to replay a room – no authorizeRelease given – may end it, and no other user', async (t) => {
  const seen: unknown[] = []
  for (const [role, retCode] of [['replayer', '0'], ['recorder', '40301']] as const) {
    const { end, released } = await build(t, {
      options: {
        authorize (...given) {
          seen.push([given[0], given[1], given[2].url])
          return given[1].role === role
        }
      }
    })
    t.equal((await end()).json().retCode, retCode)
    t.equal(released.length, retCode === '0' ? 1 : 0)
  }
  const asked = { roomId: body.roomId, userId: 'u1', userName: 'u1', role: 'replayer' }
  t.strictSame(seen, [[session, asked, RELEASE_PATH], [session, asked, RELEASE_PATH]])
})

t.test('authorizeRelease – if given – decides, and fails as authorize does', async (t) => {
  const status = (statusCode: number) => Object.assign(new Error('no'), { statusCode })
  const answers: Array<[() => boolean | Promise<boolean>, string]> = [
    [() => true, '0'],
    [async () => true, '0'],
    [() => false, '40301'],
    [async () => { throw status(403) }, '40301'],
    [() => { throw status(404) }, '40301'],
    [() => { throw status(503) }, '50306'],
    [() => { throw new Error('a defect') }, '50001'],
    [() => 1 as unknown as boolean, '40301'],
    [never, '50306']
  ]
  for (const [decide, retCode] of answers) {
    const { ask, end, released } = await build(t, {
      options: {
        timeout: 1000,
        authorize: (_session, { role }) => role === 'recorder',
        authorizeRelease (seenSession, seenBody, request) {
          t.strictSame([seenSession, seenBody, request.url], [session, call, RELEASE_PATH])
          return decide()
        }
      }
    })
    t.equal((await end()).json().retCode, retCode)
    t.equal(released.length, retCode === '0' ? 1 : 0)
    t.equal((await ask()).json().retCode, '0', 'the other route uses authorize')
  }
})

t.test('a registry that cannot be asked – 50302 within the budget – and one that settles – 50303', async (t) => {
  const faults: Array<[() => Promise<void>, string]> = [
    [failWith(new Error('connect ECONNREFUSED')), '50302'], [never, '50302'], [failWith(new RegistrySettlingError()), '50303']
  ]
  for (const [fault, retCode] of faults) {
    const { end } = await build(t, { options: { timeout: 300 } }, fault)
    const response = await pastStalls(async () => {
      const startedAt = performance.now()
      const response = await end()
      t.ok(performance.now() - startedAt < 5000)
      return response
    })
    t.equal(response.json().retCode, retCode)
    t.equal(response.headers['retry-after'], '1')
    t.equal(response.headers['cache-control'], 'no-store')
  }
})

t.test('both routes – share the registry’s breaker and the limit of requests in flight', async (t) => {
  const { app, ask, end, released } = await build(t, {}, failWith(new Error('away')))
  for (let count = 0; count < 30; count++) t.equal((await end()).json().retCode, '50302')
  t.ok(released.length < 20, `asked ${released.length} times`)
  t.equal((await ask()).json().retCode, '50302')
  t.equal(app.cobrowse.status().inFlight, 0)

  const full = await build(t, { options: { maxInFlight: 1, timeout: 500, authorizeRelease: never } })
  const first = full.end()
  while (full.app.cobrowse.status().inFlight === 0) await new Promise((resolve) => setImmediate(resolve))
  t.equal((await full.ask()).json().retCode, '50306')
  await first
})

t.test('a failure – on the end route – is logged and counted as on the other route, without the call id', async (t) => {
  const lines: string[] = []
  const metrics = new PromRegistry()
  const { ask, end } = await build(t, {
    server: { logger: { level: 'info', stream: { write: (line: string) => lines.push(line) } }, requestTimeout: 1000 },
    options: { metrics, authorize: () => false }
  })
  await ask()
  await end()
  const [ofAsk, ofEnd] = lines.filter((line) => line.includes('co-browsing request')).map((line) => JSON.parse(line))
  t.match(ofEnd, { operation: 'releaseConnection', outcome: 'refused', retCode: '40301', room: /^[\w-]{16}$/ })
  t.equal(ofEnd.room, ofAsk.room, 'the same room')
  t.notMatch(lines.join(''), body.roomId)
  t.match(await metrics.metrics(), 'cobrowse_requests_total{outcome="refused",ret_code="40301"} 2')
})

t.test('a registry that cannot end calls – has no such route', async (t) => {
  const { end: _end, ...registry } = memoryRegistry({ nodes: NODES })
  const { app, ask, end } = await build(t, { options: { registry } })
  t.equal((await end()).statusCode, 404)
  t.equal((await ask()).json().retCode, '0')
  await t.rejects(app.cobrowse.endCall(session, body.roomId), { name: 'TypeError', message: /no method "end"/ })
})

t.test('releasePath and prefix – form the route’s address, and routeOptions apply to it', async (t) => {
  const urls: string[] = []
  const { ask, end } = await build(t, {
    options: {
      path: '/room', releasePath: '/end', prefix: '/api', routeOptions: { onRequest: async ({ url }) => { urls.push(url) } }
    }
  })
  t.equal((await end({ url: '/api/end' })).json().retCode, '0')
  t.equal((await ask({ url: '/api/room' })).json().retCode, '0')
  t.equal((await end()).statusCode, 404)
  t.strictSame(urls, ['/api/end', '/api/room'])
})

t.test('the decorator – caller known to the host – ends the call without token and authorize', async (t) => {
  const { app, released } = await build(t, {
    options: { authorize: () => false, sessions: { ...memorySessions(), find: failWith(new Error('not asked')) } }
  })
  t.equal(await app.cobrowse.endCall(session, body.roomId), undefined)
  t.strictSame(released, [{ tenant: 't1', room: body.roomId }])
  await t.rejects(app.cobrowse.endCall(session, 'a b'), { code: 'FST_COBROWSE_40001' })
  const hanging = await build(t, {}, never)
  await t.rejects(hanging.app.cobrowse.endCall(session, body.roomId), { code: 'FST_COBROWSE_50302' })
})

t.test('@fastify/swagger of the host – describes the route', async (t) => {
  const { app } = await build(t, { before: async (app) => { await app.register(swagger, { openapi: {} }) } })
  const { paths } = app.swagger() as { paths: Record<string, { post: Record<string, unknown> }> }
  const post = paths[RELEASE_PATH]?.post
  t.match(post, { tags: ['co-browsing'], operationId: 'releaseConnection', summary: String })
  t.match(JSON.stringify(post?.requestBody), /"example":"1659938875-16806492"|"examples":/)
  t.strictSame(Object.keys(post?.responses ?? {}), ['200', '400', '401', '403', '408', '413', '415', '429', '500', '503'])
})
