import { connect } from 'node:net'
import t from 'tap'
import { body, buildApp, PATH } from '../support/build-app.js'
import { rawPost, sendRaw } from '../support/raw-http.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const JSON_TYPE = 'Content-Type: application/json; charset=utf-8'
const good = JSON.stringify(body)

async function listen (t: Test) {
  const { app, token, ask } = await buildApp(t, {
    server: { requestTimeout: 5000 }, options: { timeout: 1000 }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const cookie = `Cookie: ccmessaging-token=${token}`
  const post = async (payload: string | Buffer, lines = [JSON_TYPE, cookie], path = PATH) =>
    await sendRaw(port, rawPost(path, lines, payload))
  return { app, port, token, cookie, post, ask }
}

const withRoom = (json: string) => good.replace(`"${body.roomId}"`, json)
const withName = (name: string) => JSON.stringify({ ...body, userName: name })
const bytesInRoom = (...bytes: number[]) => {
  const [before = '', after = ''] = good.split(body.roomId)
  return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
}

t.test('the example request of the interface – sent header for header – is answered', async (t) => {
  const { token, port } = await listen(t)
  for (const tokenLine of [`Cookie: ccmessaging-token=${token}`, `ccmessaging-token: ${token}`]) {
    const { status, head, body: text } = await sendRaw(port, [
      `POST ${PATH} HTTP/1.1`,
      'x-forwarded-for: 10.57.118.171, 127.0.0.1',
      'x-real-ip: 127.0.0.1',
      'remote-host: 127.0.0.1',
      'user-agent: java/socket',
      'content-type: application/json; charset=utf-8',
      tokenLine,
      'Host: 10.22.1.2:18446',
      `content-length: ${Buffer.byteLength(good)}`,
      'connection: close',
      '',
      Buffer.from(good).toString('latin1')
    ].join('\r\n'))
    t.equal(status, 200)
    t.match(head, /content-type: application\/json; charset=utf-8/i)
    t.match(JSON.parse(text), {
      retCode: '0', data: { roomId: body.roomId, wssUrl: /^wss:/, wssUrlOut: /^wss:/, signature: /^ey/ }
    })
  }
})

t.test('a body that is not the JSON object – is rejected', async (t) => {
  const { post } = await listen(t)
  const cases: Array<[string, string | Buffer, string]> = [
    ['empty', '', '40001'],
    ['null', 'null', '40001'],
    ['an array', `[${good}]`, '40001'],
    ['text', '"x"', '40001'],
    ['a number', '1', '40001'],
    ['a trailing comma', good.replace('}', ',}'), '40001'],
    ['NaN', withRoom('NaN'), '40001'],
    ['single quotes', good.replaceAll('"', "'"), '40001'],
    ['a comment', `/* x */${good}`, '40001'],
    ['two objects', good + good, '40001'],
    ['a number as roomId', withRoom('12345'), '40001'],
    ['Infinity', withRoom('1e400'), '40001'],
    ['true', withRoom('true'), '40001'],
    ['a role in an array', good.replace('"recorder"', '["recorder"]'), '40001'],
    ['null as roomId', withRoom('null'), '40001'],
    ['{} as roomId', withRoom('{}'), '40001'],
    ['missing', good.replace('"roomId"', '"room"'), '40001'],
    ['an empty roomId', withRoom('""'), '40001'],
    ['spaces', withRoom('"   "'), '40001'],
    ...['Recorder', 'admin', 'recorder ', 'recorder\\u0000', 'constructor'].map((role): [string, string, string] =>
      [`role ${role}`, good.replace('"recorder"', `"${role}"`), '40001']),
    ['__proto__', good.replace('{', '{"__proto__":{"isAdmin":true},'), '40001'],
    ['__proto__ escaped', good.replace('{', '{"\\u005f_proto__":{"isAdmin":true},'), '40001'],
    ['constructor.prototype', good.replace('{', '{"constructor":{"prototype":{"x":1}},'), '40001'],
    ['invalid UTF-8', bytesInRoom(0xff, 0xfe, 0xc0, 0x80), '40001'],
    ['overlong UTF-8', bytesInRoom(0xc0, 0xaf), '40001'],
    ['surrogates as bytes', bytesInRoom(0xed, 0xa0, 0xbd, 0xed, 0xb2, 0xa9), '40001'],
    ...['\\u0000', '\\r\\n', '\\t', '\u2028', '\\u001b[2J'].map((text, index): [string, string, string] =>
      [`control character ${index} in roomId`, withRoom(`"a${text}b"`), '40001']),
    ...['../../etc/passwd', 'a/b', '%2e%2e%2f', 'room:*', '{tag}', 'a\\r\\nSET x y', "'; redis.call('FLUSHALL')--"].map(
      (text, index): [string, string, string] => [`unsafe text ${index} in roomId`, withRoom(`"${text}"`), '40001']),
    ['65 characters', withRoom(`"${'r'.repeat(65)}"`), '40001'],
    ['1,000 characters', withRoom(`"${'r'.repeat(1000)}"`), '40001'],
    ['a million characters', withRoom(`"${'r'.repeat(1_000_000)}"`), '41301'],
    ['not normalized', withRoom('"re\u0301sume\u0301"'), '40001'],
    ['look-alike letters', withRoom('"rооm"'), '40001'],
    ['turned writing direction', withName('a\u202eb'), '40001'],
    ['a lone surrogate', good.replace(body.userName, '\\ud83d'), '40001'],
    ['500 zero-width joiners', withName('\u200d'.repeat(500)), '40001'],
    ['2 KiB of Zalgo', withName(`a${'\u0301'.repeat(1000)}`), '40001'],
    ['another user', JSON.stringify({ ...body, userId: 'u2' }), '40301'],
    ['nested arrays', '['.repeat(200_000), '41301'],
    ['nested inside roomId', withRoom('['.repeat(100_000)), '41301'],
    ['a mebibyte of spaces', ' '.repeat(1_048_577), '41301']
  ]
  for (const [what, payload, retCode] of cases) {
    const answer = await post(payload)
    t.equal(answer.status, Math.trunc(Number(retCode) / 100), what)
    t.match(answer.body, `"retCode":"${retCode}"`, what)
  }
})

t.test('an unusual body that is the JSON object – is answered', async (t) => {
  const { post } = await listen(t)
  const cases: Array<[string, string | Buffer]> = [
    ['a duplicate key: the last wins', good.replace('{', '{"roomId":"first",')],
    ['an extra key', good.replace('{', '{"isAdmin":true,')],
    ['many extra keys', good.replace('{', `{${Array.from({ length: 300 }, (_v, n) => `"${1_000_001 + n}":0`).join()},`)],
    ['a byte order mark', `\ufeff${good}`],
    ['a dot', withRoom('"."')],
    ['128 code points of four bytes', withName('😀'.repeat(128))],
    ['markup', withName('<img src=x onerror=alert(1)>')],
    ['a look-up', withName('$' + '{jndi:ldap://x}')],
    ['a formula', withName('=cmd()')]
  ]
  for (const [what, payload] of cases) {
    const answer = await post(payload)
    t.equal(answer.status, 200, what)
    t.notMatch(answer.body, /isAdmin|first/, what)
  }
})

t.test('a body that does not arrive – is answered 408, and the connection closed', async (t) => {
  const { port, cookie } = await listen(t)
  const head = [`POST ${PATH} HTTP/1.1`, 'Host: x', JSON_TYPE, cookie, 'Content-Length: 500', '', ''].join('\r\n')
  const silent = await sendRaw(port, `${head}{"roomId"`)
  t.match(silent, { status: 408, body: '{"retCode":"40801","retMsg":"the body did not arrive in time"}' })
  t.match(silent.head, /connection: close/i)
  t.ok(silent.ms < 5000, `closed after ${Math.round(silent.ms)} ms`)

  const startedAt = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(head)
  const drip = setInterval(() => socket.write(' '), 200)
  let text = ''
  socket.on('data', (chunk) => { text += chunk.toString() })
  await new Promise((resolve) => socket.on('close', resolve))
  clearInterval(drip)
  t.match(text, /40801/)
  t.ok(performance.now() - startedAt < 5000)
})

t.test('a request line or header that no honest caller sends – is rejected', async (t) => {
  const { port, cookie, post } = await listen(t)
  const raw = async (method: string, path: string) =>
    (await sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).status
  for (const method of ['GET', 'PUT', 'TRACE', 'OPTIONS', 'DELETE']) t.match([404, 405, 400], [await raw(method, PATH)], method)
  const twisted = ['//rest', '%2Frest'].map((rest) => PATH.replace('/rest', rest))
  for (const path of [...twisted, `${PATH}/`, `${PATH};x`, PATH.toUpperCase()]) {
    t.equal((await post(good, [JSON_TYPE, cookie], path)).status, 404, path)
  }
  const types = [
    undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
    'application/vnd.api+json', 'application/json\ta', 'application/json garbage', 'application/json; charset=utf-16le',
    'application/json, text/plain', 'application/json; charset=utf-8; charset=utf-16', 'application/jsonx', ''
  ]
  for (const type of types) {
    const lines = type === undefined ? [cookie] : [`Content-Type: ${type}`, cookie]
    t.match(await post(good, lines), { status: 415, body: /"41501"/ }, String(type))
  }
  t.equal((await post(good, [JSON_TYPE, cookie, 'Content-Encoding: gzip'])).status, 415)
  for (const type of ['application/json', 'APPLICATION/JSON;charset=UTF-8', ' application/json ; charset="utf-8"']) {
    t.equal((await post(good, [`Content-Type: ${type}`, cookie])).status, 200, type)
  }
  t.equal((await post(good, [JSON_TYPE, cookie, 'Transfer-Encoding: chunked'])).status, 400, 'chunked and a length')
  t.match(await post(good, [JSON_TYPE, cookie, 'Host: other']), { status: 400, body: /"40001"/ }, 'two Hosts')
  t.equal((await post(good, [JSON_TYPE, cookie, 'Expect: 200-ok'])).status, 417)
  t.equal((await post(good, [JSON_TYPE, cookie, `X: ${'x'.repeat(17_000)}`])).status, 431)
  t.match(await post(good, [JSON_TYPE, cookie, ...Array.from({ length: 900 }, (_v, n) => `a${n}: 1`)]), { status: 400 })
  const long = `${cookie}; x=${'y'.repeat(8192)}`
  t.match(await post(good, [JSON_TYPE, long]), { status: 400, body: /"40001"/ }, '8 KB of cookies')
  t.match(await post(good, [JSON_TYPE, cookie + '; a=1'.repeat(1900)]), { status: 400 }, '1,900 cookies')
  for (const length of ['-1', '+5', '5\r\nContent-Length: 6']) {
    const request = `POST ${PATH} HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}\r\n${cookie}\r\nContent-Length: ${length}\r\n\r\n`
    t.equal((await sendRaw(port, request)).status, 400, `Content-Length: ${length}`)
  }
  t.equal((await sendRaw(port, `POST ${PATH} HTTP/1.1\r\n${JSON_TYPE}\r\n\r\n`)).status, 400, 'no Host')
  t.equal((await sendRaw(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).status, 400, 'the preface of HTTP/2')
  t.match([400, 0], [(await sendRaw(port, Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]))).status], 'a TLS hello')
})

t.test('headers of a load balancer – from an untrusted caller – have no effect', async (t) => {
  const { post, cookie } = await listen(t)
  for (const line of [
    'X-Forwarded-For: 127.0.0.1', `X-Forwarded-For: ${'1.1.1.1, '.repeat(1000)}1.1.1.1`, 'X-Forwarded-For: unknown',
    'X-Real-IP: ::1', 'remote-host: x', 'request-id: "\\n{"level":60}', `request-id: ${'r'.repeat(4096)}`
  ]) {
    t.equal((await post(good, [JSON_TYPE, cookie, line])).status, 200, line.slice(0, 40))
  }
})

t.test('a cookie that can be read in two ways – is rejected', async (t) => {
  const { post, token } = await listen(t)
  const bad = [
    '', 'ccmessaging-token=', `CCMESSAGING-TOKEN=${token}`, `ccmessaging-token=${token}; ccmessaging-token=other`,
    `$Version=1; a="x; ccmessaging-token=${token}; b=y"`, `=ccmessaging-token=${token}`,
    `a=1, ccmessaging-token=${token}`,
    `ccmessaging-token =${token}`, 'ccmessaging-token=%E0%A4%A', 'ccmessaging-token=%00', 'ccmessaging-token=%0d%0aX:1',
    `ccmessaging-token="${token}"`
  ]
  for (const cookie of bad) t.equal((await post(good, [JSON_TYPE, `Cookie: ${cookie}`])).status, 401, cookie)
})

t.test('a cookie without an equals sign – beginning with the token’s name – is no token, and does no harm', async (t) => {
  const { post, token } = await listen(t)
  for (const cookie of ['ccmessaging-tokenX', `ccmessaging-token${token}`, 'ccmessaging-token']) {
    t.match(await post(good, [JSON_TYPE, `Cookie: ${cookie}`]), { status: 401, body: /"40101"/ }, cookie)
    for (const cookies of [`${cookie}; ccmessaging-token=${token}`, `ccmessaging-token=${token}; ${cookie}`]) {
      t.equal((await post(good, [JSON_TYPE, `Cookie: ${cookies}`])).status, 200, cookies)
    }
  }
})

t.test('a thousand pipelined requests – on one socket – are all answered', async (t) => {
  const { port, cookie } = await listen(t)
  const one = rawPost(PATH, [JSON_TYPE, cookie], good).toString('latin1').replace('Connection: close\r\n', '')
  const count = (text: string) => text.split('"retCode":"0"').length - 1
  const { text } = await sendRaw(port, one.repeat(1000), (seen) => count(seen) === 1000)
  t.equal(count(text), 1000)
})
