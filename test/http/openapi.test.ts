import { Validator } from '@seriousme/openapi-schema-validator'
import swagger from '@fastify/swagger'
import { Ajv } from 'ajv'
import t from 'tap'
import {
  ConnectionInfoAnswerSchema, ConnectionInfoBodySchema, ErrorAnswerSchema, memoryRegistry, openapiSecurity,
  openapiSecuritySchemes
} from '../../lib/index.js'
import { body, buildApp, PATH } from '../support/build-app.js'
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { Test } from 'tap'
import type { CobrowseOptions } from '../../types/index.js'

interface Answer {
  description: string
  headers?: Record<string, object>
  content: { 'application/json': { schema: { $ref: string }, example: { retCode: string, retMsg?: string } } }
}

interface Document {
  components: { schemas: Record<string, { title: string }> }
  paths: Record<string, { post: { security?: object[], requestBody: object, responses: Record<string, Answer> } }>
}

async function describe (
  t: Test, openapi: FastifyDynamicSwaggerOptions['openapi'] = {}, options: Partial<CobrowseOptions> = {}
): Promise<Document> {
  const { app } = await buildApp(t, { before: async (app) => { await app.register(swagger, { openapi }) }, options })
  // The swagger plugin types what it was registered with, which is more than a document in OpenAPI's form.
  return app.swagger() as unknown as Document
}

const ajv = new Ajv({ strict: false })

for (const version of ['3.0.3', '3.1.0']) {
  t.test(`OpenAPI ${version} – is a valid document, with one schema for all error answers`, async (t) => {
    const document = await describe(t, { openapi: version, info: { title: 'host', version: '1' } })
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)))
    t.ok(valid, JSON.stringify(errors))
    const titles = Object.values(document.components.schemas).map(({ title }) => title)
    t.strictSame(titles.sort(), ['CobrowseConnectionInfo', 'CobrowseErrorAnswer', 'CobrowseReleased'])
    for (const { post } of Object.values(document.paths)) {
      const refs = Object.entries(post.responses).filter(([status]) => status !== '200')
        .map(([, { content }]) => content['application/json'].schema.$ref)
      t.equal(new Set(refs).size, 1)
    }
  })
}

t.test('each answer – has an example that a caller can get, and 429 and 503 have Retry-After', async (t) => {
  const { paths } = await describe(t)
  for (const [status, { headers, content }] of Object.entries(paths[PATH]?.post.responses ?? {})) {
    const { example } = content['application/json']
    t.equal(Object.hasOwn(headers ?? {}, 'Retry-After'), ['429', '503'].includes(status), status)
    t.ok(ajv.validate(status === '200' ? ConnectionInfoAnswerSchema : ErrorAnswerSchema, example), status)
    if (status !== '200') t.ok(example.retCode.startsWith(status))
  }
})

t.test('the exported schemas – describe what is sent and answered', async (t) => {
  const { ask } = await buildApp(t)
  t.ok(ajv.validate(ConnectionInfoBodySchema, body))
  t.notOk(ajv.validate(ConnectionInfoBodySchema, { ...body, role: 'observer' }))
  t.ok(ajv.validate(ConnectionInfoAnswerSchema, (await ask()).json()))
  t.ok(ajv.validate(ErrorAnswerSchema, (await ask({ headers: { cookie: '' } })).json()))
})

t.test('the role – is an enum, of which a generator makes a type', async (t) => {
  const { paths } = await describe(t)
  t.match(paths[PATH]?.post.requestBody, {
    content: { 'application/json': { schema: { properties: { role: { type: 'string', enum: ['recorder', 'replayer'] } } } } }
  })
})

t.test('security schemes – passed on by the host – are named by the routes', async (t) => {
  const without = await describe(t)
  t.equal(without.paths[PATH]?.post.security, undefined)
  const openapi = { info: { title: 'host', version: '1' }, components: { securitySchemes: openapiSecuritySchemes } }
  const document = await describe(t, openapi, { routeOptions: { schema: { security: openapiSecurity } } })
  t.strictSame(document.paths[PATH]?.post.security, [{ ccmessagingCookie: [] }, { ccmessagingHeader: [] }])
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)))
  t.ok(valid, JSON.stringify(errors))
})

t.test('the schemas – in the scope of a route – are not added to the host', async (t) => {
  const { app } = await buildApp(t, { options: { registry: memoryRegistry() } })
  t.strictSame(app.getSchemas(), {})
})
