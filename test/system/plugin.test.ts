import { EventEmitter } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import cobrowseDefault, {
  cobrowse, memoryRegistry, memorySessions, staticProvision, verifySignature
} from '../../lib/index.js'
import { body, buildApp, defaults, NODES, PATH, session, signing } from '../support/build-app.js'
import { until } from '../support/until.js'
import type { AdapterContext, Cobrowse, Registry } from '../../types/index.js'

t.test('one POST – is answered with the room, both addresses and a signature', async (t) => {
  const { app, ask } = await buildApp(t)
  const response = await ask()
  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.headers['cache-control'], 'no-store')
  const { retCode, data, ...more } = response.json()
  t.strictSame([retCode, more], ['0', {}])
  t.equal(data.roomId, body.roomId)
  const number = data.wssUrl.at(-1)
  t.equal(data.wssUrl, NODES[number - 1]?.wssUrl)
  t.equal(data.wssUrlOut, `wss://relay.example/ws/cobrowse/${number}`, 'the external address with the path of the node')
  const node = app.cobrowseRegistry.nodes().find(({ wssUrl }) => wssUrl === data.wssUrl)
  t.ok(node)
  const claims = await verifySignature(data.signature, { ...signing, node: node ?? { id: '', incarnation: '' } })
  t.match(claims, { tenant: 't1', room: body.roomId, user: 'u1', name: '王芳', role: 'recorder', node: node?.id ?? '' })
})

t.test('the signature – is for the role of the request', async (t) => {
  const { app, ask } = await buildApp(t)
  for (const role of ['recorder', 'replayer']) {
    const { data } = (await ask({ payload: { ...body, role } })).json()
    const node = app.cobrowseRegistry.nodes().find(({ wssUrl }) => wssUrl === data.wssUrl)
    const claims = await verifySignature(data.signature, { ...signing, node: node ?? { id: '', incarnation: '' } })
    t.equal(claims.role, role)
  }
})

t.test('recorder and replayer of one room – in either order – get one node', async (t) => {
  const { ask } = await buildApp(t, { options: { authorize: () => true } })
  for (let room = 0; room < 50; room++) {
    const urls = await Promise.all(['recorder', 'replayer', 'recorder', 'replayer'].map(async (role) =>
      (await ask({ payload: { ...body, roomId: `room-${room}`, role } })).json().data.wssUrl))
    t.equal(new Set(urls).size, 1)
  }
})

t.test('the token – may be sent as a header line', async (t) => {
  const { ask, token } = await buildApp(t)
  t.equal((await ask({ headers: { cookie: '', 'ccmessaging-token': token } })).statusCode, 200)
  t.equal((await ask({ headers: { 'ccmessaging-token': token } })).statusCode, 200, 'both, and equal')
  t.equal((await ask({ headers: { 'ccmessaging-token': `${token}x` } })).json().retCode, '40101')
})

t.test('further fields of the body – are ignored and not echoed', async (t) => {
  let seen: unknown
  const { ask } = await buildApp(t, {
    options: {
      authorize (_session, given) {
        seen = given
        return true
      }
    }
  })
  const response = await ask({ payload: { ...body, isAdmin: true } })
  t.equal(response.statusCode, 200)
  t.notMatch(response.body, /isAdmin/)
  t.strictSame(seen, body)
})

t.test('authorize – gets session, body and request, and decides', async (t) => {
  const answers: Array<[() => boolean | Promise<boolean>, string]> = [
    [() => true, '0'],
    [async () => true, '0'],
    [() => false, '40301'],
    [async () => { throw Object.assign(new Error('no'), { statusCode: 403 }) }, '40301'],
    [() => { throw Object.assign(new Error('no'), { statusCode: 404 }) }, '40301'],
    [() => { throw Object.assign(new Error('away'), { statusCode: 503 }) }, '50306'],
    [() => { throw new Error('a defect') }, '50001'],
    // Only the value true is a permission.
    [() => 1 as unknown as boolean, '40301'],
    [() => undefined as unknown as boolean, '40301']
  ]
  for (const [decide, retCode] of answers) {
    const { ask } = await buildApp(t, {
      options: {
        authorize (seenSession, seenBody, request) {
          t.strictSame([seenSession, seenBody, request.url], [session, body, PATH])
          return decide()
        }
      }
    })
    t.equal((await ask()).json().retCode, retCode)
  }
  const { ask } = await buildApp(t)
  t.equal((await ask({ payload: { ...body, userId: 'somebody-else' } })).json().retCode, '40301', 'ownUserIdOnly')
})

t.test('decorators – give the host the adapters, the use case and the state', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  const provision = staticProvision('wss://relay.example')
  const { app } = await buildApp(t, { options: { registry, provision } })
  t.equal(app.cobrowseRegistry, registry)
  t.equal(app.cobrowseProvision, provision)
  t.ok(app.hasRequestDecorator('cobrowseSession'))
  t.match(app.cobrowse.status(), {
    ready: true, inFlight: 0, sessions: { state: 'up' }, registry: { state: 'up' }, provision: { state: 'up' }
  })
  const data = await app.cobrowse.connectionInfo(session, { ...body, role: 'replayer' })
  t.match(data, { roomId: body.roomId, wssUrl: /^wss:/, wssUrlOut: /^wss:\/\/relay\.example/, signature: /^ey/ })
  // @ts-expect-error a caller in JavaScript may omit an argument
  await t.rejects(app.cobrowse.connectionInfo(session, { roomId: 'r' }), { code: 'FST_COBROWSE_40001' })
})

t.test('a node record with its own external address – takes precedence over provision', async (t) => {
  const wssUrlOut = 'wss://own.example/ws/7'
  const registry = memoryRegistry({ nodes: [{ id: 'n', wssUrl: 'wss://10.0.0.1/ws/7', wssUrlOut }] })
  const { ask } = await buildApp(t, { options: { registry } })
  t.equal((await ask()).json().data.wssUrlOut, wssUrlOut)
})

t.test('an invalid address – costs its node or its answer', async (t) => {
  const nodes = [...NODES, { id: 'evil', wssUrl: 'wss://evil.example/ws' }, { id: 'plain', wssUrl: 'ws://10.1.2.9/ws' }]
  const registry = memoryRegistry({ nodes })
  const allowedHosts = ['10.1.2.0/24', 'relay.example']
  const { ask } = await buildApp(t, { options: { registry, allowedHosts } })
  for (let room = 0; room < 40; room++) {
    t.match((await ask({ payload: { ...body, roomId: `room-${room}` } })).json().data.wssUrl, /^wss:\/\/10\.1\.2\./)
  }
  const alone = await buildApp(t, { options: { registry: memoryRegistry({ nodes: nodes.slice(2) }), allowedHosts } })
  t.equal((await alone.ask()).json().retCode, '50301')
  const outside = await buildApp(t, { options: { provision: staticProvision('wss://other.example'), allowedHosts } })
  t.equal((await outside.ask()).json().retCode, '50304')
  const insecure = await buildApp(t, {
    options: { registry: memoryRegistry({ nodes: nodes.slice(3) }), allowInsecure: true }
  })
  t.match((await insecure.ask()).json().data, { wssUrl: 'ws://10.1.2.9/ws' })
})

t.test('an address from a custom provision adapter – gets the path of the node', async (t) => {
  for (const answer of ['relay.example:18446', 'wss://relay.example:18446', 'wss://relay.example:18446/elsewhere']) {
    const provision = { ...staticProvision('wss://x.example'), externalUrl: async () => answer }
    const { data } = (await (await buildApp(t, { options: { provision } })).ask()).json()
    t.equal(data.wssUrlOut, `wss://relay.example:18446${new URL(data.wssUrl).pathname}`)
  }
})

t.test('provision – may omit the external address', async (t) => {
  const provision = { ...staticProvision('wss://x.example'), externalUrl: async () => null }
  const { ask } = await buildApp(t, { options: { provision } })
  t.strictSame(Object.keys((await ask()).json().data), ['roomId', 'wssUrl', 'signature'])
})

t.test('selectNode of the host – decides, and its defect costs no room', async (t) => {
  const chosen = await buildApp(t, { options: { selectNode: (nodes) => nodes.filter(({ id }) => id === 'node-2') } })
  t.equal((await chosen.ask()).json().data.wssUrl, NODES[1]?.wssUrl)
  const broken = await buildApp(t, { options: { selectNode () { throw new Error('a defect') } } })
  t.equal((await broken.ask()).json().retCode, '0')
})

t.test('path, prefix and scope – form the address of the route', async (t) => {
  const { ask } = await buildApp(t, { options: { path: '/room', prefix: '/api' } })
  t.equal((await ask({ url: '/api/room' })).statusCode, 200)
  t.equal((await ask({ url: '/room' })).statusCode, 404)

  const app = Fastify()
  t.teardown(() => app.close())
  const { sessions, ...options } = defaults()
  await app.register(async (scope) => await scope.register(cobrowse, { sessions, ...options }), { prefix: '/v2' })
  const headers = { cookie: `ccmessaging-token=${sessions.issue(session)}` }
  t.equal((await app.inject({ method: 'POST', url: `/v2${PATH}`, headers, payload: body })).statusCode, 200)
})

t.test('two registrations – in one scope stop the start, in sibling scopes work side by side', async (t) => {
  const twice = Fastify()
  t.teardown(() => twice.close())
  await twice.register(cobrowse, defaults())
  await t.rejects(async () => await twice.register(cobrowse, defaults()), {
    message: '"cobrowse" is decorated in this scope already: give a second registration of fastify-cobrowse another ' +
      '"decoratorName", or a sibling scope'
  })

  const app = Fastify()
  const shared = defaults()
  await app.register(async (scope) => await scope.register(cobrowse, { ...shared, prefix: '/a' }))
  await app.register(async (scope) =>
    await scope.register(cobrowse, { ...shared, registry: memoryRegistry(), prefix: '/b' }))
  const headers = { cookie: `ccmessaging-token=${shared.sessions.issue(session)}` }
  t.equal((await app.inject({ method: 'POST', url: `/a${PATH}`, headers, payload: body })).json().retCode, '0')
  t.equal((await app.inject({ method: 'POST', url: `/b${PATH}`, headers, payload: body })).json().retCode, '50301')
  await app.close()
  t.equal(shared.sessions.status().state, 'closed', 'closed after the second of two closes')
})

t.test('two registrations – in one scope, with names and paths of their own – work side by side', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const shared = defaults()
  await app.register(cobrowse, shared)
  await app.register(cobrowse, {
    ...shared, registry: memoryRegistry(), decoratorName: 'otherSite', prefix: '/other'
  })
  await app.ready()
  const headers = { cookie: `ccmessaging-token=${shared.sessions.issue(session)}` }
  t.equal((await app.inject({ method: 'POST', url: PATH, headers, payload: body })).json().retCode, '0')
  t.equal((await app.inject({ method: 'POST', url: `/other${PATH}`, headers, payload: body })).json().retCode, '50301')
  t.equal(app.getDecorator<Cobrowse>('otherSite').status().registry.state, 'up')
  t.strictSame(app.getDecorator<Registry>('otherSiteRegistry').nodes(), [])
  t.equal(app.cobrowseRegistry, shared.registry)
  t.ok(app.hasDecorator('otherSiteProvision'))
})

t.test('options that a loader gives to every plugin – are ignored if it names them, and no others', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const options = { ...defaults(), database: 'db', sharedOptions: ['database'] }
  await app.register(cobrowse, options)
  await app.ready()
  const other = Fastify()
  t.teardown(() => other.close())
  await t.rejects(async () => await other.register(cobrowse, { ...options, sharedOptions: ['cache'] }), {
    message: /"database" is not an option of fastify-cobrowse/
  })
})

t.test('a strict start – waits for the backends, or fails and names those that do not answer', async (t) => {
  const silent = new EventEmitter()
  const sessions = memorySessions()
  const slow = {
    ...sessions,
    status: () => ({ ...sessions.status(), state: isUp ? 'up' as const : 'starting' as const }),
    start (context: AdapterContext) {
      silent.once('up', () => {
        isUp = true
        context.onState({ state: 'up', since: 0 })
      })
    }
  }
  let isUp = false
  let isReady = false
  const waiting = Fastify()
  t.teardown(() => waiting.close())
  await waiting.register(cobrowse, { ...defaults(), sessions: slow, start: 'strict' })
  const ready = waiting.ready().then(() => { isReady = true })
  await until(() => silent.listenerCount('up') === 1, 'the start of the adapter')
  t.notOk(isReady)
  silent.emit('up')
  await ready

  const failing = Fastify()
  t.teardown(() => failing.close())
  const down = { ...memorySessions(), status: () => ({ state: 'down' as const, since: 0, reason: 'Redis does not answer' }) }
  await failing.register(cobrowse, { ...defaults(), sessions: down, start: 'strict' })
  await t.rejects(async () => await failing.ready(), {
    message: '"start" option is "strict", and after 5 s: sessions down (Redis does not answer)'
  })
})

t.test('a wrong option – stops the start', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const options = { ...defaults(), timeout: 1 }
  await t.rejects(async () => await app.register(cobrowseDefault, options), { message: /"timeout"/ })
})

t.test('routeOptions – reach the route, and cannot replace it', async (t) => {
  const seen: string[] = []
  const { ask } = await buildApp(t, {
    options: {
      routeOptions: {
        config: { rateLimit: { max: 1 } },
        onRequest: async () => { seen.push('onRequest') },
        preHandler: async (request) => { seen.push(request.cobrowseSession?.userId ?? 'nobody') }
      }
    }
  })
  t.equal((await ask()).statusCode, 200)
  t.strictSame(seen, ['onRequest', 'u1'])
})
