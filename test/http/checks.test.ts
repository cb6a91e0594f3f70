import t from 'tap'
import { askHttp2 } from '../support/ask-http2.js'
import { body, buildApp, PATH } from '../support/build-app.js'
import { sendRaw } from '../support/raw-http.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const payload = JSON.stringify(body)
const chunkedPayload = `${Buffer.byteLength(payload).toString(16)}\r\n${payload}\r\n0\r\n\r\n`

async function listen (t: Test, server: object = {}) {
  const { app, token } = await buildApp(t, { server: { requestTimeout: 5000, ...server } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { token, port: (app.server.address() as AddressInfo).port }
}

async function listenHttp2 (t: Test) {
  const { token, port } = await listen(t, { http2: true })
  const ask = async (cookie: string[]) => {
    const { status, text } = await askHttp2(port, { cookie })
    return { status, retCode: JSON.parse(text).retCode }
  }
  return { token, ask }
}

const cookies = (count: number) => Array.from({ length: count }, (_value, index) => `c${index}=v${index}`)

t.test('an HTTP/2 caller – a hundred cookies, each in its own header line – is answered', async (t) => {
  const { token, ask } = await listenHttp2(t)
  const crumb = `ccmessaging-token=${token}`
  for (const count of [0, 60, 61, 99, 100]) {
    t.strictSame(await ask([...cookies(count), crumb]), { status: 200, retCode: '0' }, `${count} before the token`)
    t.strictSame(await ask([crumb, ...cookies(count)]), { status: 200, retCode: '0' }, `${count} after the token`)
  }
})

t.test('an HTTP/2 caller – two different token cookies, or none – is rejected', async (t) => {
  const { token, ask } = await listenHttp2(t)
  const crumb = `ccmessaging-token=${token}`
  const missing = { status: 401, retCode: '40101' }
  t.strictSame(await ask([crumb, 'ccmessaging-token=other']), missing)
  t.strictSame(await ask(['ccmessaging-token=other', ...cookies(61), crumb]), missing)
  t.strictSame(await ask(cookies(61)), missing)
  t.strictSame(await ask([crumb, ...cookies(3), crumb]), { status: 200, retCode: '0' }, 'one cookie, sent twice')
})

/** Sends further header lines with a good request. */
async function listenForLines (t: Test) {
  const { token, port } = await listen(t)
  return async (lines: string[]) => await sendRaw(port, [
    `POST ${PATH} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', `ccmessaging-token: ${token}`,
    `Content-Length: ${Buffer.byteLength(payload)}`, 'Connection: close', ...lines, '', payload
  ].map((line) => Buffer.from(line).toString('latin1')).join('\r\n'))
}

t.test('a caller with more than 180 cookies – is rejected', async (t) => {
  const ask = await listenForLines(t)
  t.match(await ask([`Cookie: ${cookies(180).join('; ')}`]), { status: 200 })
  t.match(await ask([`Cookie: ${cookies(181).join('; ')}`]), { status: 400, body: /"40001","retMsg":"more than 180 cookies"/ })
})

t.test('a caller with more than 64 header lines beside its cookies – is rejected', async (t) => {
  const ask = await listenForLines(t)
  const lines = (count: number) => Array.from({ length: count }, (_value, index) => `x-${index}: 1`)
  t.match(await ask(lines(59)), { status: 200 })
  t.match(await ask(lines(60)), { status: 400, body: /"40001","retMsg":"[^"]*64 header lines"/ })
  t.match(await ask([...lines(59), ...cookies(100).map((cookie) => `Cookie: ${cookie}`)]), { status: 200 }, 'cookies apart')
})

/** Header lines sent beside a good request line, Host and token; the body matches them. */
const AMBIGUOUS: Array<[string, string[], string]> = [
  ['two types that differ', ['Content-Type: application/json', 'Content-Type: text/plain', 'Content-Length: 0'], 'content-type'],
  ['two types that are equal', ['Content-Type: application/json', 'content-type: application/json', 'Content-Length: 0'], 'content-type'],
  ['two hosts', ['HOST: other', 'Content-Type: application/json', 'Content-Length: 0'], 'host']
]

t.test('a request with a repeated single-value header – is rejected with 40001, which names the header', async (t) => {
  const { token, port } = await listen(t)
  for (const [what, lines, name] of AMBIGUOUS) {
    const answer = await sendRaw(port, [...headOf(token), ...lines, '', ''].join('\r\n'))
    t.match(answer, { status: 400, body: `{"retCode":"40001","retMsg":"more than one ${name}"}` }, what)
    t.match(answer.head, /content-type: application\/json; charset=utf-8/i, what)
  }
})

t.test('a body with two lengths, or with a coding other than chunked – is rejected', async (t) => {
  const { token, port } = await listen(t)
  const length = `Content-Length: ${Buffer.byteLength(payload)}`
  const ask = async (lines: string[], text: string) => await sendRaw(
    port, Buffer.from([...headOf(token), 'Content-Type: application/json', ...lines, '', text].join('\r\n')))
  t.equal((await ask([length], payload)).status, 200)
  for (const coding of ['chunked', 'Chunked']) {
    t.equal((await ask([`Transfer-Encoding: ${coding}`], chunkedPayload)).status, 200, coding)
  }
  // The parser of Node.js accepts these.
  for (const coding of ['gzip, chunked', 'identity, chunked', 'gzip\r\nTransfer-Encoding: chunked']) {
    t.match(await ask([`Transfer-Encoding: ${coding}`], chunkedPayload), {
      status: 400, body: '{"retCode":"40001","retMsg":"the Transfer-Encoding must be chunked"}'
    }, coding)
  }
  // The parser of Node.js rejects these.
  const rejected = [
    [length, length], [length, 'Content-Length: 1'], [length, 'Transfer-Encoding: chunked'], ['Transfer-Encoding: gzip'],
    ['Transfer-Encoding: chunked, chunked']
  ]
  for (const lines of rejected) t.equal((await ask(lines, payload)).status, 400, lines.join())
})

function headOf (token: string): string[] {
  return [`POST ${PATH} HTTP/1.1`, 'Host: x', 'Connection: close', `ccmessaging-token: ${token}`]
}
