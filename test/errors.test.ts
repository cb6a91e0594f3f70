import t from 'tap'
import * as errors from '../lib/errors.js'
import { memoryRegistry, memorySessions, staticProvision } from '../lib/index.js'
import { body, buildApp, NODES, session } from './support/build-app.js'
import { pastStalls } from './support/past-stalls.js'
import { eventually } from './support/until.js'
import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { AppSetup } from './support/build-app.js'

const settling = async () => { throw new errors.RegistrySettlingError() }
const never = new Promise<never>(() => {})
const away = async () => { throw new Error('connect ECONNREFUSED 10.9.9.9:6379') }
const tooMany = async () => { throw Object.assign(new Error('slow down'), { statusCode: 429 }) }
const registry = () => memoryRegistry({ nodes: NODES })

interface Case extends AppSetup {
  change?: Parameters<Awaited<ReturnType<typeof buildApp>>['ask']>[0]
}

/** Requests that cause each code. Two codes need more than one request, and have their own tests below. */
const CASES: Record<string, Case[]> = {
  40001: [{ change: { payload: { ...body, roomId: '' } } }, { change: { payload: '{' } }],
  40101: [{ change: { headers: { cookie: '' } } }],
  40102: [{ change: { headers: { cookie: 'ccmessaging-token=bm90IGEgdG9rZW4%3D' } } }],
  40301: [{ options: { authorize: () => false } }],
  40302: [{ change: { headers: { origin: 'https://evil.test' } } }],
  41301: [{ change: { payload: { ...body, more: 'x'.repeat(4096) } } }],
  41501: [{ change: { headers: { 'content-type': 'text/plain' } } }],
  42901: [{ options: { routeOptions: { onRequest: tooMany } } }],
  50001: [{ options: { authorize () { throw new TypeError('a defect') } } }],
  50301: [{ options: { registry: memoryRegistry() } }],
  50302: [
    { options: { registry: { ...registry(), assign: away } } },
    { options: { registry: { ...registry(), assign: () => never }, timeout: 600 } }
  ],
  50303: [{ options: { registry: { ...registry(), assign: settling } } }],
  50304: [
    { options: { provision: { ...staticProvision('x.example'), externalUrl: away } } },
    { options: { provision: { ...staticProvision('x.example'), externalUrl: () => never }, timeout: 600 } },
    { options: { provision: { ...staticProvision('x.example'), externalUrl: async () => 'https://evil.test' } } }
  ],
  50305: [
    { options: { sessions: { ...memorySessions(), find: away } } },
    { options: { sessions: { ...memorySessions(), find: () => never }, timeout: 600 } }
  ],
  50306: [{ options: { authorize: () => never, timeout: 600 } }],
  50308: [{ options: { registry: memoryRegistry({ nodes: NODES.map((node) => ({ ...node, capacity: 0 })) }) } }]
}
const ELSEWHERE = ['40801', '50307']

function checkAnswer (t: Test, retCode: string, response: LightMyRequestResponse): void {
  const status = Math.trunc(Number(retCode) / 100)
  t.equal(response.statusCode, status)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(response.headers['retry-after'] !== undefined, status === 429 || status === 503, 'Retry-After')
  const answer = response.json()
  t.strictSame(Object.keys(answer), ['retCode', 'retMsg'])
  t.equal(answer.retCode, retCode)
  t.notMatch(answer.retMsg, /10\.9\.9\.9|ECONN|lib\/|defect|\n/)
}

for (const [retCode, cases] of Object.entries(CASES)) {
  t.test(`${retCode} – its cause present – is answered`, async (t) => {
    for (const { change, ...setup } of cases) {
      const { ask } = await buildApp(t, setup)
      const askOnce = async () => await ask(change)
      checkAnswer(t, retCode, await (retCode === '50306' ? askOnce() : pastStalls(askOnce)))
    }
  })
}

t.test('every code of the catalogue – has a test', async (t) => {
  const codes = Object.values(errors).map((Refusal) => new Refusal().code.replace('FST_COBROWSE_', ''))
  t.strictSame(codes.filter((code) => /^\d/.test(code)).sort(), [...Object.keys(CASES), ...ELSEWHERE].sort())
})

t.test('one request above maxInFlight – is answered 50306 at once, and the place is free again afterwards', async (t) => {
  let release = () => {}
  const held = new Promise<boolean>((resolve) => { release = () => resolve(true) })
  const { ask, app } = await buildApp(t, { options: { maxInFlight: 2, authorize: () => held } })
  const first = [ask(), ask()]
  await eventually(() => app.cobrowse.status().inFlight, 2, 'both requests in flight')
  checkAnswer(t, '50306', await ask())
  release()
  t.strictSame((await Promise.all(first)).map(({ statusCode }) => statusCode), [200, 200])
  t.equal(app.cobrowse.status().inFlight, 0)
  t.equal((await ask()).statusCode, 200)
})

t.test('40001 – names the field and its rule', async (t) => {
  const { ask } = await buildApp(t)
  const wrong: Array<[object, RegExp]> = [
    [{ roomId: 'a b' }, /^roomId must be a string of 1 to 64 characters/],
    [{ userId: undefined }, /^userId must be/],
    [{ userName: '' }, /^userName must be a string of 1 to 128 characters without control characters/],
    [{ role: 'admin' }, /^role must be "recorder" or "replayer"/]
  ]
  for (const [change, retMsg] of wrong) {
    t.match((await ask({ payload: { ...body, ...change } })).json(), { retCode: '40001', retMsg })
  }
})

t.test('body, token and authorize – are checked in this order', async (t) => {
  const asked: string[] = []
  const sessions = { ...memorySessions(), find: async () => { asked.push('sessions'); return session } }
  const { ask } = await buildApp(t, {
    options: { sessions, authorize () { asked.push('authorize'); return false } }
  })
  await ask({ payload: { ...body, role: 'x' } })
  t.strictSame(asked, [])
  await ask()
  t.strictSame(asked, ['sessions', 'authorize'])
})
