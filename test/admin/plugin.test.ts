import { Validator } from '@seriousme/openapi-schema-validator'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'
import { admin } from '../../lib/admin/index.js'
import { memoryRegistry } from '../../lib/index.js'
import { buildApp, NODES } from '../support/build-app.js'
import { CORDON, startAdmin } from './start-admin.js'
import type { Test } from 'tap'
import type { AdminOptions } from '../../types/admin.js'

const authorize = () => 'anna'

/** @returns the error of the start */
async function fault (t: Test, options: object): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  // A host in JavaScript may pass anything.
  const started = Promise.resolve(app.register(admin, options as AdminOptions))
  return await started.then(() => 'none', ({ message }) => message)
}

t.test('wrong options – all of them – are named at the start', async (t) => {
  const registry = memoryRegistry()
  const all = await fault(t, { registry, authorise: authorize, timeout: 5, allowedOrigins: 'https://x.example' })
  for (const name of ['authorize', 'authorise', 'timeout', 'allowedOrigins']) t.match(all, `"${name}"`)
  t.match(await fault(t, { registry }), /^"authorize" option of fastify-cobrowse.admin must be .* no default/)
  t.match(await fault(t, { registry, authorize, allowedOrigins: ['x.example'] }), /"allowedOrigins.0"/)
  t.match(await fault(t, { authorize }), /"registry" option .* fastify-cobrowse is registered before/)
})

t.test('a registry without operations – stops the start', async (t) => {
  const { operations, ...registry } = memoryRegistry()
  t.match(await fault(t, { registry, authorize }), /"registry" option .* it has no "operations"$/)
})

t.test('the registry of the main plugin – is used if none is given, and is closed once', async (t) => {
  const registry = memoryRegistry({ nodes: NODES })
  const closed: unknown[] = []
  const counted = { ...registry, close: async () => { closed.push(await registry.close()) } }
  const { app } = await buildApp(t, {
    options: { registry: counted },
    after: async (app) => { await app.register(admin, { prefix: '/admin', authorize }) }
  })
  const { nodes } = (await app.inject('/admin/api/nodes')).json<{ nodes: unknown[] }>()
  t.equal(nodes.length, 2)
  const room = { tenant: 't1', room: 'call-1' }
  t.equal((await app.inject({ method: 'POST', url: '/admin/api/rooms/end', payload: room })).statusCode, 200)
  await app.close()
  t.equal(closed.length, 1)
})

t.test('a host – beside the plugin – keeps its parser, serializer, hooks, schemas and errors', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(admin, { prefix: '/admin', registry: memoryRegistry(), authorize })
  app.post('/own', async ({ body }) => ({ body }))
  app.get('/broken', async () => { throw Object.assign(new Error('mine'), { statusCode: 418 }) })
  const text = await app.inject({ method: 'POST', url: '/own', payload: 'x', headers: { 'content-type': 'text/plain', origin: 'https://x.example' } })
  t.strictSame(text.json(), { body: 'x' })
  t.match((await app.inject('/broken')).json(), { statusCode: 418, message: 'mine' })
  t.match((await app.inject('/absent')).json(), { statusCode: 404, message: /not found/ })
  t.strictSame(app.getSchemas(), {})
  t.equal((await app.inject('/own')).headers['content-security-policy'], undefined)
})

t.test('hooks of the host – that log in – run before authorize', async (t) => {
  const { ask } = await startAdmin(t, { authorize: ({ headers }) => String(headers['x-user']) }, async (app) => {
    app.addHook('preHandler', async ({ headers }) => { headers['x-user'] = 'li' })
  })
  t.equal((await ask('GET', '/api/operator')).json().author, 'li')
})

for (const version of ['3.0.3', '3.1.0']) {
  t.test(`OpenAPI ${version} – describes the API, and not the page`, async (t) => {
    const { app } = await startAdmin(t, {}, async (app) =>
      await app.register(swagger, { openapi: { openapi: version, info: { title: 'host', version: '1' } } }))
    const document = JSON.parse(JSON.stringify(app.swagger()))
    const { valid, errors } = await new Validator().validate(document)
    t.ok(valid, JSON.stringify(errors))
    t.strictSame(Object.keys(document.paths).sort(), [
      '/admin/api/nodes', '/admin/api/nodes/{id}/order', '/admin/api/operator', '/admin/api/orders', '/admin/api/rooms/end',
      '/admin/api/rooms/explain', '/admin/api/rooms/move'
    ])
    const { put } = document.paths['/admin/api/nodes/{id}/order']
    t.match(put.requestBody.content['application/json'].schema.properties, { kind: Object, reason: { type: 'string' } })
    t.match(Object.keys(put.responses), ['200', '400', '403'])
  })
}

t.test('the page – under its prefix – has a strict policy, in place of one that a hook of the host sets', async (t) => {
  const { app, ask } = await startAdmin(t, {}, async (app) => {
    // As @fastify/helmet does.
    app.addHook('onRequest', async (_request, reply) => { reply.header('content-security-policy', 'default-src *') })
  })
  const page = await ask('GET', '/')
  t.match(page.headers, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', 'x-frame-options': 'DENY' })
  const policy = String(page.headers['content-security-policy'])
  t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
  t.notMatch(policy, /unsafe|https?:|\*/)
  t.notMatch(page.body, /<style|style=|\son\w+=|<script(?![^>]* src=)/)
  for (const [, file] of page.body.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)) {
    const { statusCode, headers } = await ask('GET', `/${file}`)
    t.match([statusCode, headers['content-type'], headers['x-content-type-options']], [200, /^text\/(css|javascript); charset=utf-8$/, 'nosniff'])
  }
  for (const path of ['/assets/', '/assets/index.html', '/assets/..%2fapi.ts', '/assets/%2e%2e/api.ts']) {
    t.equal((await ask('GET', path)).statusCode, 404, path)
  }
  const { headers, statusCode } = await app.inject('/admin?x=/')
  t.match([statusCode, headers.location], [302, './admin/'], 'relative links need the slash')
})

t.test('two registrations – of two registries – serve both', async (t) => {
  const second = memoryRegistry()
  const { app, ask } = await startAdmin(t, {}, async (app) =>
    await app.register(admin, { prefix: '/second', registry: second, authorize }))
  await app.inject({ method: 'PUT', url: '/second/api/nodes/n/order', payload: CORDON })
  t.equal((await second.operations?.orders())?.size, 1)
  t.strictSame((await ask('GET', '/api/orders')).json(), { orders: [] })
})
