import t from 'tap'
import { addressFault, withNodePath } from '../../lib/common/address.js'
import { readRawToken } from '../../lib/http/raw-token.js'
import { readClientOptions } from '../../lib/client/settings.js'
import { readRetryAfter } from '../../lib/client/ask.js'
import { readOffer } from '../../lib/node/offer.js'
import { toReason } from '../../lib/common/reason.js'
import { toErrorAnswer } from '../../lib/http/to-error-answer.js'
import { checkNodeRecord } from '../../lib/registry/nodes/node-record.js'
import { parseBinding } from '../../lib/registry/zookeeper/binding.js'
import { checkContentType, checkHeaders, checkOrigin } from '../../lib/http/checks.js'
import { checkConnectionInfoBody } from '../../lib/http/schema.js'
import { readToken } from '../../lib/sessions/token.js'
import { verifySignature } from '../../lib/signing/verify.js'
import { body, signing } from '../support/build-app.js'
import { expressionsIn } from '../support/expressions.js'
import { growthOf } from '../support/time-growth.js'
import type { FastifyRequest } from 'fastify'

// For twice the length, linear time doubles and quadratic time quadruples.
const MOST_GROWTH = 3

/** Inputs of a given length that make an expression with adjacent repetitions backtrack. */
const SHAPES: Record<string, (length: number) => string> = {
  'blanks in a value': (length) => `x${' '.repeat(length)}x`,
  'tabs behind a value': (length) => `x${'\t'.repeat(length)}`,
  'blanks behind the media type': (length) => `application/json${' '.repeat(length)}x`,
  'blanks behind the charset': (length) => `application/json; charset=utf-8${' '.repeat(length)}x`,
  'blanks at the equals sign': (length) => `application/json; charset${' '.repeat(length)}:`,
  semicolons: (length) => `application/json${';'.repeat(length)}x`,
  digits: (length) => `${'1'.repeat(length)}e`,
  letters: (length) => `${'a'.repeat(length)}!`,
  'escaped quotes': (length) => `"${'\\"'.repeat(length / 2)}`,
  quotes: (length) => '"'.repeat(length),
  commas: (length) => ','.repeat(length),
  slashes: (length) => `wss://${'/'.repeat(length)}x`,
  'labels of a host': (length) => `http://${'é.'.repeat(length / 2)}x`,
  'a punycode label': (length) => `http://xn--${'a'.repeat(length)}`,
  bars: (length) => `a|b|${'|1'.repeat(length / 2)}`,
  dots: (length) => `${'a.'.repeat(length / 2)}`,
  'percent signs': (length) => '%7B'.repeat(length / 3)
}

const requestWith = (headers: Record<string, string>, host = 'gateway.example') => {
  const rawHeaders = Object.entries(headers).flat()
  // These fields are read by the checks.
  return { headers, host, raw: { rawHeaders } } as unknown as FastifyRequest
}
const toToken = (text: string) => encodeURIComponent(Buffer.from(text).toString('base64'))
const inBody = (field: string) => (text: string) => checkConnectionInfoBody({ ...body, [field]: text })
const COOKIE = 'ccmessaging-token'

/** Readers of texts that a caller, a store, a node or another service controls. */
const READERS: Record<string, (text: string) => unknown> = {
  'Content-Type': (text) => checkContentType(requestWith({ 'content-type': text })),
  'Content-Encoding': (text) => checkContentType(requestWith({ 'content-type': 'application/json', 'content-encoding': text })),
  'cookies, counted': (text) => checkHeaders(requestWith({ cookie: text })),
  'the value of the cookie': (text) => readRawToken(['cookie', `${COOKIE}=${text}`]),
  'the name of a cookie': (text) => readRawToken(['cookie', `${text}=x; ${COOKIE}=x`]),
  'the token as a header line': (text) => readRawToken([COOKIE, text]),
  'a token': readToken,
  'the content of a token': (text) => readToken(toToken(text)),
  'a field of a token': (text) => readToken(toToken(JSON.stringify({ tenantId: text }))),
  Origin: (text) => checkOrigin(requestWith({ origin: text }), []),
  Host: (text) => checkOrigin(requestWith({ origin: 'https://gateway.example' }, text), []),
  'Sec-Fetch-Site': (text) => checkOrigin(requestWith({ 'sec-fetch-site': text }), []),
  roomId: inBody('roomId'),
  userName: inBody('userName'),
  role: inBody('role'),
  'an address': addressFault,
  'an answer of provision': (text) => withNodePath(text, 'wss://node.example/ws'),
  'a node record': (text) => checkNodeRecord(text, { wssUrl: text, zone: text }),
  'the zone of a node record': (text) => checkNodeRecord('node-1', { wssUrl: 'wss://node.example/ws', zone: text }),
  'a binding in ZooKeeper': parseBinding,
  'the code of an error': (text) => toErrorAnswer(Object.assign(new Error(text), { code: `FST_COBROWSE_${text}` })),
  'the message of an error': (text) => toReason(new Error(text)),
  'the sub-protocols of a WebSocket': (text) => readOffer({ 'sec-websocket-protocol': `cobrowse.v1,${text}` }),
  'Retry-After': readRetryAfter,
  'the base URL of the client helper': (text) => readClientOptions({
    ...body, role: 'recorder', baseUrl: text, WebSocket: class {} as never
  })
}

const quietly = (reader: (text: string) => unknown) => (text: string) => {
  try {
    reader(text)
  } catch {
    // Most inputs are rejected, since only the time counts.
  }
}

t.test('readers – twice the length – take at most twice the time', async (t) => {
  for (const [what, reader] of Object.entries(READERS)) {
    const tenTimes = (text: string) => { for (let time = 0; time < 10; time++) quietly(reader)(text) }
    // Short inputs are below the bounds of tokens and headers, long ones above.
    const slow = Object.entries(SHAPES).find(([, textOf]) =>
      [760, 6000].some((length) => growthOf(tenTimes, textOf, length, MOST_GROWTH) > MOST_GROWTH))
    t.equal(slow?.[0], undefined, what)
  }
})

t.test('a signature – twice the length – takes at most twice the time', async (t) => {
  const options = { ...signing, node: { id: 'n', incarnation: 'i' } }
  const dots = '.'.repeat(4096)
  const verify = (text: string) => { verifySignature(text, options).catch(() => {}) }
  t.ok(growthOf(verify, (length) => dots.slice(0, length), 2048, MOST_GROWTH) <= MOST_GROWTH)
})

t.test('regular expressions – any repeated piece of text – take linear time', async (t) => {
  const expressions = [...expressionsIn('lib'), ...expressionsIn('demo')]
  t.ok(expressions.length > 40, `${expressions.length} were found`)
  for (const { place, source, flags } of expressions) {
    const expression = new RegExp(source, flags.includes('g') ? flags : `${flags}g`)
    const search = (text: string) => text.replace(expression, '')
    const slow = attacksOn(source).find(({ textOf }) => isSlow(search, textOf))
    t.equal(slow?.name, undefined, `${place} /${source}/`)
  }
})

/** A start that the expression may match, a repeated piece, and an end that it may not expect. */
function attacksOn (source: string) {
  const literal = source.replace(/\\([^\w])/g, '$1')
  const characters = [...new Set(literal)]
  const beginnings = ['', ...literal.match(/[\w/:;="-]{2,}/g) ?? [], '"']
  const pieces = [...characters, ' ', '\t', 'a', '0', '1', '\\"', 'a=', '{a']
  const ends = ['', '\0', '.', '!', 'a']
  return beginnings.flatMap((beginning) => pieces.flatMap((piece) => ends.map((end) => ({
    name: JSON.stringify(`${beginning}${piece}…${end}`),
    textOf: (length: number) => beginning + piece.repeat(length / piece.length) + end
  }))))
}

function isSlow (search: (text: string) => unknown, textOf: (length: number) => string): boolean {
  const startedAt = performance.now()
  search(textOf(3000))
  // Linear time is a few microseconds here, quadratic time several milliseconds.
  if (performance.now() - startedAt < 1) return false
  return growthOf(search, textOf, 6000, MOST_GROWTH) > MOST_GROWTH
}
