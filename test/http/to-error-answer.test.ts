import { Registry } from 'prom-client'
import t from 'tap'
import { toErrorAnswer } from '../../lib/http/to-error-answer.js'
import { buildApp } from '../support/build-app.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import type { CobrowseOptions } from '../../types/index.js'

const SECRET = 'p4ssw0rd'
const RET_CODES: Array<[number, string]> = [[401, '40102'], [403, '40301'], [429, '42901'], [503, '50306']]

function raise (thrown: unknown): never {
  throw thrown
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/** Ways in which a hook can reject, each with its reason in the log. */
const WAYS: Array<[string, (status: number) => Hook, string]> = [
  ['sets the status and throws an error', (status) => async (_request, reply) => {
    reply.code(status)
    throw new RangeError(SECRET)
  }, 'RangeError'],
  ['sets the status and throws an object', (status) => async (_request, reply) => {
    reply.code(status)
    raise({ message: SECRET, hint: SECRET })
  }, 'a thrown object with message, hint'],
  ['sets the status and throws a text', (status) => async (_request, reply) => {
    reply.code(status)
    raise(SECRET)
  }, 'a thrown string'],
  ['throws an error with statusCode', (statusCode) => async () => {
    throw Object.assign(new Error(SECRET), { statusCode, code: 'OF_THE_HOST' })
  }, 'Error OF_THE_HOST'],
  ['throws an error with status', (status) => async () => {
    throw Object.assign(new Error(SECRET, { cause: new TypeError(SECRET) }), { status })
  }, 'Error < TypeError'],
  ['throws an object with statusCode', (statusCode) => async () => raise({ statusCode, message: SECRET }), 'a thrown object with statusCode, message'],
  ['throws an object with a text as status', (status) => async () => raise({ status: String(status), [`a ${SECRET}`]: 1 }), 'a thrown object with status'],
  ['sets another status than the error has', (statusCode) => async (_request, reply) => {
    reply.code(418)
    throw Object.assign(new Error(SECRET), { statusCode })
  }, 'Error']
]

async function check (
  t: Test, routeOptions: CobrowseOptions['routeOptions'], retCode: string, reason: string
): Promise<void> {
  const lines: string[] = []
  const metrics = new Registry()
  const logger = { level: 'trace', stream: { write (line: string) { lines.push(line) } } }
  const { ask, token } = await buildApp(t, { server: { logger }, options: { metrics, routeOptions } })
  const response = await ask()
  const status = Math.trunc(Number(retCode) / 100)
  t.equal(response.statusCode, status)
  t.match(response.json(), { retCode, retMsg: /^[a-z, -]+$/ })
  t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  t.equal(response.headers['retry-after'], status === 429 || status === 503 ? '1' : undefined)
  const ours = lines.map((line) => JSON.parse(line)).filter(({ msg }) => String(msg).startsWith('co-browsing request'))
  t.match(ours, [{ retCode, reason }])
  t.equal(ours[0]?.reason, reason)
  for (const secret of [SECRET, token]) t.notMatch(lines.join('') + response.body, secret)
  t.match(await metrics.metrics(), `ret_code="${retCode}"} 1`)
}

for (const [what, refuse, reason] of WAYS) {
  t.test(`a hook of the host that ${what} – is answered by that status, and logged without its texts`, async (t) => {
    for (const [status, retCode] of RET_CODES) {
      for (const name of ['onRequest', 'preHandler']) {
        await t.test(`${name}, ${status}`, async (t) => { await check(t, { [name]: refuse(status) }, retCode, reason) })
      }
    }
  })
}

t.test('a hook of the host that throws without a status – is answered 50001', async (t) => {
  const thrown: Array<[unknown, string]> = [
    [SECRET, 'a thrown string'], [{ message: SECRET }, 'a thrown object with message'], [{}, 'a thrown object'],
    [{ statusCode: 200 }, 'a thrown object with statusCode'], [{ status: SECRET }, 'a thrown object with status'],
    [7, 'a thrown number'], [[SECRET], 'a thrown object with 0'], [Symbol(SECRET), 'a thrown symbol']
  ]
  for (const [value, reason] of thrown) {
    await t.test(reason, async (t) => {
      await check(t, { onRequest: async () => raise(value) }, '50001', reason)
    })
  }
})

t.test('a status set by a hook before its error – counts if it is a failure status', async (t) => {
  const cases: Array<[number, string]> = [
    ...RET_CODES, [200, '50001'], [204, '50001'], [302, '50001'], [404, '40001'], [418, '40001'], [500, '50001'], [599, '50001']
  ]
  for (const [status, retCode] of cases) t.equal(toErrorAnswer(new Error('of the host'), status).retCode, retCode, String(status))
})

t.test('authorize that throws an object – a 4xx status – is answered 40301, any other by its status', async (t) => {
  const cases: Array<[unknown, string]> = [
    [{ statusCode: 403 }, '40301'], [{ status: '403' }, '40301'], [{ status: 429, message: SECRET }, '40301'],
    [{ statusCode: 503 }, '50306'], [{ status: 500 }, '50001'], [SECRET, '50001'], [null, '50001'], [undefined, '50001']
  ]
  for (const [value, retCode] of cases) {
    const { ask } = await buildApp(t, { options: { authorize: () => raise(value) } })
    const response = await ask()
    t.equal(response.json().retCode, retCode, JSON.stringify(value))
    t.notMatch(response.body, SECRET)
  }
})
