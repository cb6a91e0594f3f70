import t from 'tap'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { address, json, startHttpServer, startRawServer, text } from '../../support/http-server.js'
import { until } from '../../support/until.js'
import { GOOD, GOOD_URL, startHttp } from '../start-http.js'
import type { Answer } from '../../support/http-server.js'

const good = JSON.stringify({ data: { address: GOOD } })
const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`

const NOT_AN_ANSWER: Record<string, Answer> = {
  empty: text(''),
  'not JSON': text('{"data":{"address":"entry'),
  'a login page': text('<!DOCTYPE html><title>Log in</title>', 200, { 'content-type': 'text/html' }),
  null: json(null),
  'data is null': json({ data: null }),
  'an array': json([GOOD]),
  'a text': json(GOOD),
  'a number': address(8443),
  'an array of addresses': address([GOOD, GOOD]),
  'UTF-16': text(Buffer.from(good, 'utf16le')),
  'broken UTF-8': text(Buffer.from(good.replace('entry', '\xff\xfe'), 'latin1')),
  __proto__: text(good.replace('{', '{"__proto__":{"x":1},')),
  gzip: text(gzipSync(good), 200, { 'content-encoding': 'gzip' }),
  'gzip without a name': text(gzipSync(good)),
  'brotli mislabelled': text(brotliCompressSync(good), 200, { 'content-encoding': 'gzip' }),
  'plain, labelled gzip': text(good, 200, { 'content-encoding': 'gzip' }),
  'nested deeply': text('['.repeat(60_000))
}
const HOSTILE_ADDRESSES = [
  'wss://node1.corp.example@evil.test/', 'wss://evil.test?x=.corp.example', 'wss://0x7f.1/.corp.example',
  'wss://[::ffff:127.0.0.1]/', 'wss://entry.example:99999', 'wss://entry.example:0', 'wss://entry.example:22',
  'wss://ent\try.example', 'javascript:alert(1)', '//evil.test', 'wss:evil.test', 'wss://entry.ехample',
  'wss://entry.example.', 'WSS://entry.example', `wss://${'a'.repeat(4096)}`, 'wss://entry.example#x', 'data:text/plain,x',
  'wss://[fe80::1%25eth0]/', 'https://entry.example', 'wss://entry.example\\@evil.test', 'entry.example\r\nx: y', ' ', '', '/'
]
const HOSTILE_FOR_THIS_GATEWAY = [
  'wss://evil.test/.corp.example', 'wss://entry.example.evil.test/', 'wss://127.0.0.1:6379/.corp.example',
  'wss://169.254.169.254/', 'ws://entry.example:8443'
]

t.test('an invalid answer – is rejected, and does not replace a valid one', async (t) => {
  const server = await startHttpServer(t, address(GOOD))
  for (const [name, answer] of Object.entries(NOT_AN_ANSWER)) {
    server.answer(address(GOOD))
    const { ask, askInVain, provision } = startHttp(t, { url: `${server.url}/{tenantId}`, ttl: 0.001 })
    t.equal(await ask(), GOOD_URL)
    server.answer(answer)
    t.match(await askInVain(t, 'another'), /^answer (is|has)/, name)
    t.equal(provision.status().state, 'degraded')
    t.equal(await ask(), GOOD_URL, `${name}: the valid answer is kept`)
  }
})

const acceptsAddress = (url: string) => url.startsWith('wss://entry.example:8443/')
for (const [name, addresses, setup] of [
  ['is none', HOSTILE_ADDRESSES, {}],
  ['may not leave this gateway', HOSTILE_FOR_THIS_GATEWAY, { acceptsAddress }]
] as const) {
  t.test(`an address that ${name} – is rejected, and does not replace a valid one`, async (t) => {
    const server = await startHttpServer(t, address(GOOD))
    for (const hostile of addresses) {
      server.answer(address(GOOD))
      const { ask, askInVain } = startHttp(t, { url: `${server.url}/{tenantId}`, ttl: 0.001 }, setup)
      t.equal(await ask(), GOOD_URL)
      server.answer(address(hostile))
      t.match(await askInVain(t, 'another'), /^the address in the answer m/, hostile)
      t.equal(await ask(), GOOD_URL, 'the valid answer is kept')
    }
  })
}

t.test('an unusual but clear answer – is accepted', async (t) => {
  const clear: Answer[] = [
    text(Buffer.from(`\ufeff${good}`)),
    text(good, 200, { 'content-encoding': 'identity' }),
    text(good, 200, { 'content-type': 'text/plain' }),
    // Two parsers may read this differently; both addresses have the same origin, and the accepted one is checked.
    text(`{"data":{"address":"first.example","address":"${GOOD}"}}`)
  ]
  const server = await startHttpServer(t, address(GOOD))
  for (const answer of clear) {
    server.answer(answer)
    t.equal(await startHttp(t, { url: server.url }).ask(), GOOD_URL)
  }
})

t.test('a body of 64 MiB – is not read beyond 64 KiB', async (t) => {
  let sent = 0
  let isEnded = false
  const piece = Buffer.alloc(64 * 1024, ' ')
  const server = await startHttpServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).on('close', () => { isEnded = true })
    const send = () => {
      while (sent < 1024 * piece.length && !response.destroyed) {
        sent += piece.length
        if (!response.write(piece)) {
          response.once('drain', send)
          return
        }
      }
      response.end()
    }
    send()
  })
  t.equal(await startHttp(t, { url: server.url }).askInVain(t), 'answer is too large (UND_ERR_RES_EXCEEDED_MAX_SIZE)')
  await until(() => isEnded)
  t.ok(sent < 16 * 1024 * 1024, `no more than the buffers of two sockets hold is sent: ${sent} bytes`)
})

const BROKEN_HTTP: Record<string, [said: string, reason: RegExp, asked: number]> = {
  'no HTTP': ['SSH-2.0-OpenSSH_9.2\r\n', /^broken HTTP/, 2],
  'two Content-Lengths': [`${head('Content-Length: 5', 'Content-Length: 60')}${good}`, /^broken HTTP/, 2],
  'a length beside chunks': [
    `${head('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`, /^broken HTTP/, 2
  ],
  'a garbled chunk size': [`${head('Transfer-Encoding: chunked')}zz\r\n${good}\r\n`, /^broken HTTP/, 2],
  'a body that is cut short': [`${head('Content-Length: 500')}${good}`, /^(connection lost|broken HTTP)/, 2],
  'a close before the answer': ['', /^connection lost/, 2],
  '40 KB of headers': [head(`X: ${'x'.repeat(40_000)}`), /^answer with too many headers/, 1]
}
for (const [name, [said, reason, asked]] of Object.entries(BROKEN_HTTP)) {
  t.test(`${name} – 50304, after one retry on a fresh connection if that may help`, async (t) => {
    const server = await startRawServer(t, (socket) => socket.end(said))
    t.match(await startHttp(t, { url: server.url, timeout: 5000 }).askInVain(t), reason)
    t.equal(server.connections(), asked)
  })
}

for (const [name, line] of Object.entries({ headers: 'X-More: 1\r\n', '1xx answers': 'HTTP/1.1 103 Early Hints\r\n\r\n' })) {
  t.test(`endless ${name} – end by the limit or the timeout`, async (t) => {
    let isEnded = false
    const server = await startRawServer(t, (socket) => {
      if (name === 'headers') socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write(line.repeat(100)), 2)
      socket.on('close', () => {
        isEnded = true
        clearInterval(timer)
      })
    })
    t.match(await startHttp(t, { url: server.url, timeout: 500 }).askInVain(t), /too many headers|timed out/)
    await until(() => isEnded)
  })
}

t.test('an unsolicited second answer – is never taken for the answer to the next request', async (t) => {
  const evil = JSON.stringify({ data: { address: 'evil.example' } })
  const answerWith = (body: string) => `${head(`Content-Length: ${body.length}`)}${body}`
  const server = await startRawServer(t, (socket, asked) => {
    socket.write(answerWith(good) + (asked === 1 ? answerWith(evil) : ''))
  })
  const { ask } = startHttp(t, { url: `${server.url}/{tenantId}` })
  t.equal(await ask('a'), GOOD_URL)
  t.equal(await ask('b'), GOOD_URL)
  t.equal(server.connections(), 2, 'the connection is not used again')
})
