import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import t from 'tap'
import { REFUSED, REFUSED_IN_SCHEMA } from '../../lib/http/route-options.js'
import { body, buildApp, PATH } from '../support/build-app.js'
import type { FastifyRequest, LightMyRequestResponse, RouteOptions } from 'fastify'
import type { Test } from 'tap'
import type { App, AppSetup } from '../support/build-app.js'
import type { CobrowseOptions } from '../../types/index.js'

type Given = NonNullable<CobrowseOptions['routeOptions']>

async function build (t: Test, routeOptions: object, setup: AppSetup = {}): Promise<App> {
  return await buildApp(t, { ...setup, options: { ...setup.options, routeOptions: routeOptions as Given } })
}

/** Asks with one hook, and resolves to the number of its runs. */
async function countHook (t: Test, name: string, change: object = {}): Promise<number> {
  let runs = 0
  const { ask } = await build(t, { [name]: [async () => { runs++ }] })
  await ask(change)
  return runs
}

const hook = (name: string, change?: object) => async (t: Test) => t.equal(await countHook(t, name, change), 1)
const accepted = (value: object) => async (t: Test) => t.equal((await (await build(t, value)).ask()).statusCode, 200)

async function describe (t: Test, schema: object) {
  const before: NonNullable<AppSetup['before']> = async (app) => { await app.register(swagger, { openapi: {} }) }
  const { app } = await build(t, { schema }, { before })
  return (app.swagger() as { paths: Record<string, { post: object }> }).paths[PATH]?.post
}

function checkSuccess (t: Test, response: LightMyRequestResponse): void {
  t.match(response.json(), { retCode: '0', data: { roomId: body.roomId } })
}

/** Options that plugins of Fastify add to the type. */
type OfPlugins = 'links' | 'websocket' | 'wsHandler' | 'wsUpgrade'

/** Checks that show that an option is honoured or overridden. Rejected options are tried below. */
const SHOWN: Record<string, (t: Test) => Promise<unknown>> = {
  'schema.response': async (t) => {
    const schema = { response: { 200: { type: 'string' }, 418: { type: 'object', description: 'of the host' } } }
    checkSuccess(t, await (await build(t, { schema })).ask())
    const responses = { 200: { description: /where to connect/ }, 418: { description: 'of the host' } }
    t.match(await describe(t, schema), { responses })
  },
  'schema.operationId': async (t) => t.match(await describe(t, { operationId: 'x' }), { operationId: 'getConnectionInfo' }),
  'schema.tags': async (t) => t.match(await describe(t, { tags: ['x'], summary: 'y' }), { tags: ['x'], summary: 'y' }),
  onRequest: hook('onRequest'),
  preParsing: async (t) => t.equal(await countHook(t, 'preParsing'), 1),
  preValidation: hook('preValidation'),
  preHandler: async (t) => {
    let user: string | undefined
    const { ask } = await build(t, {
      preHandler: async ({ cobrowseSession }: FastifyRequest) => { user = cobrowseSession?.userId }
    })
    await ask()
    t.equal(user, 'u1')
  },
  preSerialization: hook('preSerialization'),
  onSend: hook('onSend'),
  onResponse: hook('onResponse'),
  onError: hook('onError', { payload: {} }),
  onTimeout: accepted({ onTimeout: async () => {} }),
  onRequestAbort: accepted({ onRequestAbort: async () => {} }),
  config: async (t) => {
    let seen: unknown
    const { ask } = await build(t, {
      config: { of: 'the host' },
      onRequest: async (request: FastifyRequest) => { seen = Reflect.get(request.routeOptions.config, 'of') }
    })
    await ask()
    t.equal(seen, 'the host')
  },
  constraints: async (t) => {
    const { ask } = await build(t, { constraints: { host: 'gateway.example' } })
    t.equal((await ask()).statusCode, 404)
    checkSuccess(t, await ask({ headers: { host: 'gateway.example' } }))
  },
  handlerTimeout: async (t) => {
    const { ask } = await build(t, { handlerTimeout: 50 }, { options: { authorize: () => new Promise(() => {}) } })
    t.match((await ask()).json(), { retCode: '50306' })
  },
  logLevel: async (t) => {
    const levels = [['silent', undefined, 0], ['silent', 'info', 1], [undefined, 'silent', 0]] as const
    for (const [ofPlugin, ofRoute, expected] of levels) {
      const lines: string[] = []
      const stream = { write: (line: string) => { lines.push(line) } }
      const server = { requestTimeout: 5000, logger: { level: 'info', stream } }
      const options = { ...ofPlugin && { logLevel: ofPlugin } } as object
      const { ask } = await build(t, { ...ofRoute && { logLevel: ofRoute } }, { server, options })
      await ask({ payload: {} })
      t.equal(lines.filter((line) => line.includes('co-browsing request')).length, expected, `${ofPlugin} ${ofRoute}`)
    }
  },
  logSerializers: accepted({ logSerializers: { room: String } }),
  childLoggerFactory: async (t) => {
    let made = 0
    const { ask } = await build(t, {
      childLoggerFactory (logger: { child (bindings: object): unknown }, bindings: object) {
        made++
        return logger.child(bindings)
      }
    })
    await ask()
    t.equal(made, 1)
  },
  prefixTrailingSlash: async (t) => {
    const { ask } = await build(t, { prefixTrailingSlash: 'slash' }, { options: { path: '/', prefix: '/api' } })
    t.equal((await ask({ url: '/api' })).statusCode, 404)
    checkSuccess(t, await ask({ url: '/api/' }))
  },
  exposeHeadRoute: accepted({ exposeHeadRoute: true })
}

const NAMES = [...REFUSED.keys(), ...[...REFUSED_IN_SCHEMA.keys()].map((name) => `schema.${name}`)]

for (const [name, show] of Object.entries(SHOWN)) t.test(`routeOptions.${name} – given – follows the table`, show)

for (const name of NAMES) {
  t.test(`routeOptions.${name} – given – stops the start, and the error names it`, async (t) => {
    const [, part] = name.split('.')
    const given = (value: unknown) => part === undefined ? { [name]: value } : { schema: { [part]: value } }
    await t.rejects(build(t, given({})), { name: 'TypeError', message: `"routeOptions.${name}" option cannot be set: ` })
    await t.resolves(build(t, given(undefined)), 'undefined is the same as omitted')
  })
}

t.test('the table – names each route option of Fastify with its treatment, and no other', async (t) => {
  const rows = readFileSync(new URL('../../docs/route-options.md', import.meta.url), 'utf8')
    .split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('|').map((cell) => cell.trim()))
  const treatments = Object.fromEntries(rows.map(([, name = '', treatment = '']) => [name.replaceAll('`', ''), treatment]))
  const overridden = ['schema.response', 'schema.operationId']
  t.strictSame(treatments, {
    ...Object.fromEntries(NAMES.map((name) => [name, 'refused'])),
    ...Object.fromEntries(Object.keys(SHOWN).map((name) => [name, overridden.includes(name) ? 'overridden' : 'honoured']))
  })
  // A new option of Fastify causes a type error here.
  const ofFastify: Record<Exclude<keyof RouteOptions, 'schema' | OfPlugins>, true> = {
    method: true,
    url: true,
    handler: true,
    bodyLimit: true,
    errorHandler: true,
    serializerCompiler: true,
    schemaErrorFormatter: true,
    attachValidation: true,
    validatorCompiler: true,
    onRequest: true,
    preParsing: true,
    preValidation: true,
    preHandler: true,
    preSerialization: true,
    onSend: true,
    onResponse: true,
    onError: true,
    onTimeout: true,
    onRequestAbort: true,
    config: true,
    constraints: true,
    handlerTimeout: true,
    logLevel: true,
    logSerializers: true,
    childLoggerFactory: true,
    prefixTrailingSlash: true,
    exposeHeadRoute: true
  }
  t.strictSame(Object.keys(ofFastify).filter((name) => treatments[name] === undefined), [])
})

t.test('a list of hooks – a plugin pushes into it – stays unchanged for the host', async (t) => {
  const onRequest = [async () => {}]
  await build(t, { onRequest }, {
    before (app) {
      app.addHook('onRoute', (route) => { if (Array.isArray(route.onRequest)) route.onRequest.push(async () => {}) })
    }
  })
  t.equal(onRequest.length, 1)
})

t.test('attachValidation – set by an onRoute hook of the host – does not let an invalid body pass', async (t) => {
  const { ask } = await buildApp(t, { before: (app) => { app.addHook('onRoute', (route) => { route.attachValidation = true }) } })
  t.match((await ask({ payload: { ...body, role: 'admin' } })).json(), { retCode: '40001', retMsg: /^role must be/ })
})
