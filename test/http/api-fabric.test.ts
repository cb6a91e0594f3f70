import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import t from 'tap'
import { ApiFabricAnswerSchema, ApiFabricBodySchema } from '../../lib/index.js'
import { body, buildApp, PATH, session } from '../support/build-app.js'
import type { InjectOptions } from 'fastify'
import type { Test } from 'tap'
import type { ApiFabricOptions, CobrowseOptions, ConnectionInfoBody } from '../../types/index.js'

const FABRIC_PATH = '/apiaccess/api/cobrowse/getConnectionInfo'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** An application whose one good token is `good`. */
async function setUp (t: Test, options: Partial<CobrowseOptions> = {}, fabric: Partial<ApiFabricOptions> = {}) {
  const { app, ask } = await buildApp(t, {
    options: {
      apiFabric: { authenticate: async (token) => token === 'good' ? session : null, ...fabric }, ...options
    }
  })
  const askFabric = async (change: InjectOptions = {}) => await app.inject({
    method: 'POST',
    url: FABRIC_PATH,
    payload: { role: 'recorder' },
    ...change,
    headers: { authorization: 'Bearer good', 'content-type': 'application/json', ...change.headers }
  })
  return { app, ask, askFabric }
}

const refusal = (errorCode: number, errorReason: string) => ({ success: false, errorCode, errorReason })

t.test('a bearer token – is answered in the envelope of the API fabric, field by field', async (t) => {
  const { askFabric } = await setUp(t)
  const response = await askFabric({ payload: { ...body, workNo: '1001' } })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  const { connectParam, wssUrl, wssUrlOut } = response.json().data
  t.equal(response.body, '{"success":true,"data":{' +
    `"roomId":"${body.roomId}","wssUrl":"${wssUrl}","wssUrlOut":"${wssUrlOut}","connectParam":"${connectParam}"` +
    '},"errorCode":0,"errorReason":""}')
  t.match(connectParam, /^[\w-]+\.[\w-]+\.[\w-]+$/)
})

t.test('a room that was asked for in either form – is on the same node', async (t) => {
  const { ask, askFabric } = await setUp(t)
  const [one, other] = [(await ask()).json().data, (await askFabric({ payload: body })).json().data]
  t.equal(one.wssUrl, other.wssUrl)
})

t.test('fields that are left out – are filled in before the host decides', async (t) => {
  const bodies: ConnectionInfoBody[] = []
  const { askFabric } = await setUp(t, {
    authorize (_session, body) {
      bodies.push(body)
      return true
    }
  })
  const { data } = (await askFabric()).json()
  t.match(data.roomId, UUID)
  await askFabric({ payload: { role: 'replayer', workNo: '1001' } })
  await askFabric({ payload: { role: 'replayer', workNo: '1001', userId: 'u2', userName: 'Ann', roomId: 'r' } })
  t.match(bodies, [
    { roomId: data.roomId, userId: 'u1', userName: 'u1', role: 'recorder' },
    { roomId: UUID, userId: '1001', userName: '1001', role: 'replayer' },
    { roomId: 'r', userId: 'u2', userName: 'Ann', role: 'replayer' }
  ])
  t.not(bodies[0]?.roomId, bodies[1]?.roomId)
  const claims = JSON.parse(Buffer.from(data.connectParam.split('.')[1], 'base64url').toString())
  t.match(claims, { room: data.roomId, sub: 'u1', tenant: session.tenantId, role: 'recorder' })
})

t.test('refusals – have the envelope of the API fabric', async (t) => {
  const { askFabric } = await setUp(t)
  const missing = refusal(40101, 'ccmessaging-token is missing or ambiguous')
  for (const [change, expected] of [
    [{ headers: { authorization: '' } }, missing],
    [{ headers: { authorization: 'Basic good' } }, missing],
    [{ headers: { authorization: 'Bearer' } }, missing],
    [{ headers: { authorization: 'Bearer go od' } }, missing],
    [{ headers: { authorization: 'Bearer bad' } }, refusal(40102, 'ccmessaging-token is not valid')],
    [{ payload: {} }, refusal(40001, 'role must be "recorder" or "replayer"')],
    [{ payload: { role: 'recorder', roomId: '' } }, { success: false, errorCode: 40001 }],
    [{ payload: { role: 'recorder', workNo: 'a b' } }, { success: false, errorCode: 40001, errorReason: /^workNo must be/ }],
    [{ payload: { role: 'recorder', userId: 'somebody-else' } }, { success: false, errorCode: 40301 }],
    [{ payload: '{', headers: {} }, { success: false, errorCode: 40001 }],
    [{ headers: { 'content-type': 'text/plain' } }, { success: false, errorCode: 41501 }]
  ] as Array<[InjectOptions, object]>) {
    const response = await askFabric(change)
    t.match(response.json(), expected, JSON.stringify(change))
    t.equal(response.statusCode, Math.trunc(response.json().errorCode / 100))
    t.notOk(Object.hasOwn(response.json(), 'data'))
  }
})

t.test('a host’s authenticate – throws or hangs – is answered in time: the token cannot be checked', async (t) => {
  const failures: Array<ApiFabricOptions['authenticate']> = [
    () => { throw new Error('a token') }, async () => { throw new Error('a token') }, async () => await new Promise(() => {})
  ]
  for (const authenticate of failures) {
    const { askFabric } = await setUp(t, { timeout: 500 }, { authenticate })
    const response = await askFabric()
    t.match(response.json(), { success: false, errorCode: 50305 })
    t.notMatch(response.body, 'a token')
    t.equal(response.headers['retry-after'], '1')
  }
})

t.test('the route – is off by default, has its own path, and follows the prefix', async (t) => {
  const { app } = await buildApp(t)
  t.equal((await app.inject({ method: 'POST', url: FABRIC_PATH, payload: {} })).statusCode, 404)
  const { askFabric, ask } = await setUp(t, { prefix: '/v1' }, { path: '/fabric' })
  t.equal((await askFabric({ url: '/v1/fabric' })).statusCode, 200)
  t.equal((await ask({ url: `/v1${PATH}` })).statusCode, 200)
  await t.rejects(setUp(t, {}, { path: PATH }), { message: '"apiFabric.path" option must differ from "path" and "releasePath"' })
})

t.test('OpenAPI – with the route of the API fabric – is a valid document with examples that fit', async (t) => {
  const { app } = await buildApp(t, {
    before: async (app) => { await app.register(swagger, { openapi: { openapi: '3.1.0' } }) },
    options: { apiFabric: { authenticate: () => session } }
  })
  const document = JSON.parse(JSON.stringify(app.swagger()))
  const { valid, errors } = await new Validator().validate(document)
  t.ok(valid, JSON.stringify(errors))
  const ajv = new Ajv({ strict: false })
  const { responses } = document.paths[FABRIC_PATH].post
  for (const [status, answer] of Object.entries<{ content: { 'application/json': { example: object } } }>(responses)) {
    t.ok(ajv.validate(ApiFabricAnswerSchema, answer.content['application/json'].example), status)
  }
  t.ok(ajv.validate(ApiFabricBodySchema, { role: 'recorder' }))
})
