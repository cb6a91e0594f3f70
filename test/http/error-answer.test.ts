import t from 'tap'
import { askHttp2 } from '../support/ask-http2.js'
import { body, buildApp, PATH } from '../support/build-app.js'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyReply, onSendHookHandler } from 'fastify'
import type { Test } from 'tap'

const SECRET = 'p4ssw0rd'

interface Answer { status: number, headers: Record<string, unknown>, text: string }

/** Starts a gateway that logs into `lines`, and a caller that asks over HTTP/1.1 or HTTP/2. */
async function listen (t: Test, before: (app: FastifyInstance) => void, isHttp2 = false) {
  const lines: Array<Record<string, unknown>> = []
  const logger = { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line)) } }
  const server: object = { http2: isHttp2, requestTimeout: 5000, logger }
  const { app, token } = await buildApp(t, { server, before })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const ask = isHttp2 ? askHttp2 : askHttp1
  return {
    lines,
    token,
    allowed: async (): Promise<Answer> => await ask(port, { 'ccmessaging-token': token }),
    refused: async (): Promise<Answer> => await ask(port, { 'ccmessaging-token': 'forged' })
  }
}

async function askHttp1 (port: number, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000)
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
}

function checkAnswer (t: Test, { status, headers, text }: Answer, retCode: '50001' | '40102'): void {
  const retMsg = { 50001: 'internal error', 40102: 'ccmessaging-token is not valid' }[retCode]
  t.equal(text, JSON.stringify({ retCode, retMsg }))
  t.equal(status, Math.trunc(Number(retCode) / 100))
  t.match(headers, {
    'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'content-length': String(text.length)
  })
  t.notOk('content-encoding' in headers)
}

const text: unknown = SECRET
const failure = () => new Error(`of the host: ${SECRET}`)
/** Hooks that fail at every answer, by throwing, or by a header or payload that cannot be sent. */
const FAILING: Record<string, onSendHookHandler> = {
  rejects: async () => { throw failure() },
  throws: () => { throw failure() },
  'calls back with an error': (_request, _reply, _payload, done) => done(failure()),
  'throws a text': async () => { throw text },
  'answers with an object': async () => ({ of: 'the host' }),
  'sets a header with a bad name': async (_request, reply) => { reply.header('x bad', '1') },
  'says that the body is compressed, and throws': (_request, reply) => {
    reply.headers({ 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' })
    throw failure()
  },
  'sets headers past Fastify, and throws': (_request, { raw }) => {
    raw.setHeader('content-encoding', 'gzip')
    throw failure()
  }
}

for (const isHttp2 of [false, true]) {
  const version = isHttp2 ? 'HTTP/2' : 'HTTP/1.1'
  t.test(`an onSend hook that fails at every answer – over ${version} – leaves our JSON and a log line`, async (t) => {
    for (const [what, onSend] of Object.entries(FAILING)) {
      const { lines, token, allowed, refused } = await listen(t, (app) => app.addHook('onSend', onSend), isHttp2)
      await t.test(what, async (t) => {
        checkAnswer(t, await allowed(), '50001')
        checkLines(t, lines, [{ level: 50, outcome: 'failed', retCode: '50001' }])
        lines.length = 0
        checkAnswer(t, await refused(), '40102')
        checkLines(t, lines, [
          { level: 30, outcome: 'refused', retCode: '40102' },
          { level: 50, msg: 'a hook failed at the answer of a refused request', reason: String }
        ])
        for (const secret of [SECRET, token, 'forged']) t.notMatch(JSON.stringify(lines), secret)
      })
    }
  })
}

function checkLines (t: Test, lines: Array<Record<string, unknown>>, expected: object[]): void {
  t.match(lines.filter(({ operation }) => operation !== undefined), expected)
}

t.test('an onSend hook that fails only at a success – leaves the plain error answer', async (t) => {
  const { allowed } = await listen(t, (app) => app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode !== 200) return
    reply.headers({ 'content-encoding': 'gzip', etag: '"of the success"' })
    throw failure()
  }))
  const answer = await allowed()
  checkAnswer(t, answer, '50001')
  t.notOk('etag' in answer.headers)
})

/** Headers that Node.js cannot send, for the versions of HTTP that forbid them. */
const UNSENDABLE: Array<[string, (reply: FastifyReply) => unknown, boolean]> = [
  ['a line break', (reply) => reply.header('x-bad', 'a\r\nb'), false],
  ['a letter beyond Latin-1', (reply) => reply.header('x-bad', '王'), false],
  ['a symbol', (reply) => reply.header('x-bad', Symbol('of the host')), false],
  ['a name with a blank', (reply) => reply.header('x bad', 'a'), false],
  ['a name with a blank', (reply) => reply.header('x bad', 'a'), true],
  ['one of the connection', (reply) => reply.header('keep-alive', 'timeout=5'), true]
]

t.test('a header of the host that cannot be sent – costs the success, and changes no error answer', async (t) => {
  for (const [what, set, isHttp2] of UNSENDABLE) {
    const { allowed, refused, lines } = await listen(t, (app) => app.addHook('onRequest', async (_request, reply) => {
      set(reply)
    }), isHttp2)
    await t.test(`${what}, over ${isHttp2 ? 'HTTP/2' : 'HTTP/1.1'}`, async (t) => {
      checkAnswer(t, await allowed(), '50001')
      checkAnswer(t, await refused(), '40102')
      checkLines(t, lines, [{ retCode: '50001' }, { retCode: '40102' }, { level: 50, reason: /Error/ }])
    })
  }
})

t.test('an error answer with Retry-After – a header of the host cannot be sent – keeps it', async (t) => {
  const headers: Array<[Record<string, string>, boolean]> = [
    [{ 'x-bad': 'a\nb' }, false], [{ 'retry-after': 'a\nb' }, false], [{ 'keep-alive': 'timeout=5' }, true]
  ]
  for (const [unsendable, isHttp2] of headers) {
    const { allowed } = await listen(t, (app) => app.addHook('onRequest', async (_request, reply) => {
      reply.code(503).headers(unsendable)
      throw failure()
    }), isHttp2)
    const { status, headers, text } = await allowed()
    t.strictSame([status, headers['retry-after'], JSON.parse(text).retCode], [503, '1', '50306'])
  }
})

t.test('other headers of the host – beside one that cannot be sent – stay in the answer', async (t) => {
  const { allowed, refused } = await listen(t, (app) => app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'x-bad': 'a\nb', 'access-control-allow-origin': 'https://app.example' })
  }))
  for (const { headers } of [await allowed(), await refused()]) {
    t.equal(headers['access-control-allow-origin'], 'https://app.example')
  }
})
