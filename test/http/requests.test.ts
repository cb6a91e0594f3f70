import { Registry } from 'prom-client'
import t from 'tap'
import { buildApp } from '../support/build-app.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { AppSetup } from '../support/build-app.js'

const COUNTED = /^cobrowse_requests_total\{.*$/gm

async function countOne (t: Test, setup: AppSetup): Promise<{ status: number, counted: string[] }> {
  const metrics = new Registry()
  const { ask } = await buildApp(t, { ...setup, options: { ...setup.options, metrics } })
  const { statusCode } = await ask()
  return { status: statusCode, counted: (await metrics.metrics()).match(COUNTED) ?? [] }
}

const line = (outcome: string, retCode: string) =>
  `cobrowse_requests_total{outcome="${outcome}",ret_code="${retCode}"} 1`

const CASES: Array<[number, string]> = [
  [200, 'refused'], [204, 'refused'], [302, 'refused'], [401, 'refused'], [403, 'refused'], [429, 'refused'],
  [500, 'failed'], [503, 'failed']
]

for (const name of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
  t.test(`an early answer of a host's ${name} hook – is counted as refused or failed, never as ok`, async (t) => {
    for (const [status, outcome] of CASES) {
      const early = async (_request: FastifyRequest, reply: FastifyReply) =>
        reply.code(status).send(status === 204 ? undefined : { of: 'the host' })
      const expected = { status, counted: [line(outcome, 'none')] }
      const ofHost = { before (app: FastifyInstance) { app.addHook(name as 'onRequest', early) } }
      const ofRoute = { options: { routeOptions: { [name]: early } } }
      t.strictSame(await countOne(t, ofHost), expected, `${status} by a hook of the server`)
      t.strictSame(await countOne(t, ofRoute), expected, `${status} by one of the route`)
    }
  })
}

t.test('an answer that a hook of the host sends past Fastify – is counted by its status, never as ok', async (t) => {
  for (const [status, outcome] of CASES) {
    const counted = await countOne(t, {
      options: {
        routeOptions: {
          async preHandler (_request, reply) {
            reply.hijack().raw.writeHead(status).end()
          }
        }
      }
    })
    t.strictSame(counted, { status, counted: [line(outcome, 'none')] }, String(status))
  }
})

t.test('an error of a hook that runs before the plugin’s – is counted by its code', async (t) => {
  const counted = await countOne(t, {
    before (app) {
      app.addHook('onRequest', async (_request, reply) => {
        reply.code(429)
        throw new Error('of the host')
      })
    }
  })
  t.strictSame(counted, { status: 429, counted: [line('refused', '42901')] })
})

t.test('an answer of the plugin – an onSend hook fails – is counted by its own outcome, once', async (t) => {
  const fail = async () => { throw new Error('of the host') }
  t.strictSame(await countOne(t, { options: { routeOptions: { onSend: fail } } }), {
    status: 500, counted: [line('failed', '50001')]
  })
  t.strictSame(await countOne(t, { options: { authorize: () => false, routeOptions: { onSend: fail } } }), {
    status: 403, counted: [line('refused', '40301')]
  })
})
