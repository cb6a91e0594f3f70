import Fastify from 'fastify'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import { Registry } from 'prom-client'
import t from 'tap'
import { cobrowse } from '../../lib/index.js'
import { body, buildApp, defaults, PATH, session } from '../support/build-app.js'
import type { FastifyInstance } from 'fastify'
import type { Authorize } from '../../lib/index.js'

/** Routes of a host, one for each feature that a plugin could break. */
function addHostRoutes (app: FastifyInstance): void {
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, async (_request: unknown, text: string) => text.split(','))
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ host: (error as Error).message }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'not found' }))
  app.post('/csv', async (request) => request.body)
  app.post('/json', async (request) => request.body)
  const schema = { type: 'object', properties: { n: { type: 'string' } } }
  app.post('/number', { schema: { body: schema, response: { 200: schema } } }, async (request) => ({ ...(request.body as object), dropped: true }))
  app.get('/error', async () => { throw new Error('of the host') })
  app.get('/session', async (request) => ({ session: request.cobrowseSession ?? 'none' }))
}

async function seeHost (app: FastifyInstance) {
  const json = { 'content-type': 'application/json' }
  const answers = await Promise.all([
    app.inject({ method: 'POST', url: '/csv', headers: { 'content-type': 'text/csv' }, payload: 'a,b' }),
    app.inject({ method: 'POST', url: '/json', headers: json, payload: '{"big":"' + 'x'.repeat(10_000) + '"}' }),
    app.inject({ method: 'POST', url: '/json', headers: json, payload: '{' }),
    app.inject({ method: 'POST', url: '/json', headers: { 'content-type': 'text/plain' }, payload: 'plain' }),
    app.inject({ method: 'POST', url: '/json', headers: { 'content-type': 'application/xml' }, payload: '<a/>' }),
    app.inject({ method: 'POST', url: '/number', headers: json, payload: '{"n":12345}' }),
    app.inject({ url: '/error' }),
    app.inject({ url: '/nowhere' }),
    app.inject({ method: 'GET', url: PATH })
  ])
  return answers.map(({ statusCode, headers, body: text }) =>
    [statusCode, headers['content-type'], headers['cache-control'], text])
}

t.test('a host – plugin registered before or after its routes – answers as without the plugin', async (t) => {
  const bare = Fastify()
  t.teardown(() => bare.close())
  addHostRoutes(bare)
  const expected = await seeHost(bare)
  for (const when of ['before', 'after'] as const) {
    const { app, ask } = await buildApp(t, { [when]: addHostRoutes })
    t.strictSame(await seeHost(app), expected)
    t.equal((await ask()).json().retCode, '0')
    t.strictSame((await app.inject('/session')).json(), { session: 'none' })
  }
})

t.test('the route – host with its own coercion, serializer, parser and error handler – answers the same', async (t) => {
  const { ask } = await buildApp(t, {
    server: { ajv: { customOptions: { coerceTypes: 'array', removeAdditional: 'all', useDefaults: true } } },
    before (app) {
      addHostRoutes(app)
      app.removeContentTypeParser('application/json')
      app.addContentTypeParser('application/json', { parseAs: 'string' }, async () => ({ of: 'the host' }))
      app.addContentTypeParser('*', { parseAs: 'string' }, async () => body)
      app.setValidatorCompiler(() => () => ({ value: { roomId: 'of the host' } }))
      app.setSerializerCompiler(() => () => '{"of":"the host"}')
      app.setReplySerializer(() => '{"of":"the host"}')
      app.setSchemaErrorFormatter(() => new Error('of the host'))
    }
  })
  t.equal((await ask()).json().data.roomId, body.roomId)
  t.match((await ask({ payload: { ...body, roomId: 12345 } })).json(), { retCode: '40001', retMsg: /^roomId must be/ })
  t.match((await ask({ payload: { ...body, role: ['recorder'] } })).json(), { retCode: '40001', retMsg: /^role must be/ })
  t.equal((await ask({ headers: { 'content-type': 'text/csv' } })).json().retCode, '41501')
})

t.test('@fastify/cookie – may be registered by the host before, after, or not at all', async (t) => {
  for (const when of ['before', 'after', undefined] as const) {
    const { app, ask } = await buildApp(t, when && {
      async [when] (app: FastifyInstance) {
        await app.register(cookie, { secret: 'of the host' })
        app.get('/cookies', async (request, reply) => {
          reply.setCookie('a', 'b', { signed: true })
          return request.cookies
        })
      }
    })
    t.equal((await ask()).json().retCode, '0', String(when))
    t.equal(app.hasRequestDecorator('cookies'), when !== undefined, 'the root gets no cookies from the plugin')
    if (when === undefined) continue
    const response = await app.inject({ url: '/cookies', headers: { cookie: 'x=%20y' } })
    t.strictSame(response.json(), { x: ' y' })
    t.match(response.headers['set-cookie'], /^a=b\./)
  }
})

t.test('authorize – may read other cookies, whether or not the host parses them', async (t) => {
  const { ask, token } = await buildApp(t, { options: { authorize: (_session, _body, { cookies }) => cookies.desk === '7' } })
  t.equal((await ask({ headers: { cookie: `ccmessaging-token=${token}; desk=7` } })).json().retCode, '0')
})

t.test('cookies – in a host that does not parse them – are parsed once, and may be set by a hook', async (t) => {
  const seen: unknown[] = []
  const authorize: Authorize = (_session, _body, request) => {
    const { cookies } = request
    seen.push(request.cookies === cookies, cookies.desk)
    return true
  }
  const { ask, token } = await buildApp(t, {
    options: { authorize },
    before (app) {
      app.addHook('preHandler', async (request) => {
        if (request.headers['x-set'] !== undefined) request.cookies = { desk: 'of the hook' }
      })
    }
  })
  const cookie = `ccmessaging-token=${token}; desk=%37`
  t.equal((await ask({ headers: { cookie } })).json().retCode, '0')
  t.equal((await ask({ headers: { cookie, 'x-set': '1' } })).json().retCode, '0')
  t.equal((await ask({ headers: { 'ccmessaging-token': token, cookie: '' } })).json().retCode, '0')
  t.strictSame(seen, [true, '7', true, 'of the hook', true, undefined])
})

t.test('hooks of the host – run, and a failing hook is answered from the catalogue', async (t) => {
  const refusals: Array<[number, string]> = [
    [401, '40102'], [403, '40301'], [404, '40001'], [429, '42901'], [503, '50306'], [500, '50001'], [408, '40801']
  ]
  for (const [statusCode, retCode] of refusals) {
    const metrics = new Registry()
    const lines: string[] = []
    const logger = { level: 'error', stream: { write (line: string) { lines.push(line) } } }
    const { ask } = await buildApp(t, {
      server: { logger },
      options: { metrics },
      before (app) {
        app.addHook('onRequest', async () => { throw Object.assign(new Error('secret text'), { statusCode }) })
      }
    })
    const response = await ask()
    t.strictSame([response.statusCode, response.json().retCode], [Math.trunc(Number(retCode) / 100), retCode])
    t.notMatch(response.body, /secret text/)
    t.match(await metrics.metrics(), `ret_code="${retCode}"} 1`, 'and counted')
    t.equal(lines.length, retCode === '50001' ? 1 : 0, 'there is no further failure')
  }
})

t.test('@fastify/rate-limit – applies to the route, and is answered 42901 with its Retry-After', async (t) => {
  const { ask } = await buildApp(t, {
    before: async (app) => { await app.register(rateLimit, { global: false }) },
    options: { routeOptions: { config: { rateLimit: { max: 2, timeWindow: '1 minute' } } } }
  })
  await ask()
  await ask()
  const response = await ask()
  t.strictSame(response.json(), { retCode: '42901', retMsg: 'too many requests' })
  t.equal(response.headers['retry-after'], '60')
})

t.test('@fastify/cors – answers the preflight, and the list of origins decides about the request', async (t) => {
  const origin = 'https://app.example'
  const { app, ask } = await buildApp(t, {
    before: async (app) => { await app.register(cors, { origin, credentials: true }) },
    options: { allowedOrigins: [origin] }
  })
  const preflight = await app.inject({
    method: 'OPTIONS', url: PATH, headers: { origin, 'access-control-request-method': 'POST' }
  })
  t.equal(preflight.headers['access-control-allow-origin'], origin)
  const response = await ask({ headers: { origin, 'sec-fetch-site': 'cross-site' } })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['access-control-allow-origin'], origin)
})

t.test('@fastify/swagger – of the host – includes the route', async (t) => {
  const { app } = await buildApp(t, { before: async (app) => { await app.register(swagger, { openapi: {} }) } })
  const post = (app.swagger() as { paths: Record<string, { post: Record<string, unknown> }> }).paths[PATH]?.post
  t.match(post, { tags: ['co-browsing'], operationId: 'getConnectionInfo' })
  t.match(JSON.stringify(post), /"example":"1659938875-16806492"|"examples":/)
  t.strictSame(Object.keys(post?.responses ?? {}), ['200', '400', '401', '403', '408', '413', '415', '429', '500', '503'])
})

t.test('a host without a time limit for requests – is warned', async (t) => {
  const lines: string[] = []
  const logger = { level: 'warn', stream: { write (line: string) { lines.push(line) } } }
  await buildApp(t, { server: { logger } })
  t.match(lines.join(''), /requestTimeout/)
  lines.length = 0
  await buildApp(t, { server: { logger, requestTimeout: 5000 } })
  t.strictSame(lines, [])
})

t.test('a child scope – registers the plugin again – both instances work', async (t) => {
  const shared = defaults()
  const { app } = await buildApp(t, {
    options: { sessions: shared.sessions },
    async after (app) {
      await app.register(async (scope) => await scope.register(cobrowse, { ...shared, prefix: '/child' }))
    }
  })
  const headers = { cookie: `ccmessaging-token=${shared.sessions.issue(session)}` }
  for (const url of [PATH, `/child${PATH}`]) {
    t.equal((await app.inject({ method: 'POST', url, headers, payload: body })).json().retCode, '0', url)
  }
})
