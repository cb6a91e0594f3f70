import t from 'tap'
import { equalsStored, makeToken, readToken, toUid } from '../../lib/sessions/token.js'
import fc from '../support/fast-check.js'

const session = { tenantId: '202102193196', channelId: 'web', userId: 'session_1619573111751_user_1619573111751' }
const wrap = (text: string | Buffer) => encodeURIComponent(Buffer.from(text).toString('base64'))
const wrapJson = (fields: object) => wrap(JSON.stringify({ createTime: 1_700_000_000_000, ...fields }))

t.test('a token – names its user', async (t) => {
  t.strictSame(readToken(makeToken(session, 1_700_000_000_000)), session)
  t.equal(toUid(session), '202102193196websession_1619573111751_user_1619573111751')
})

t.test('integers – printed by Java – are read to the last digit', async (t) => {
  const token = wrap('{"createTime":1,"tenantId":202102193196869708,"channelId":7,"userId":-0,"note":"at 202102193196869708"}')
  t.strictSame(readToken(token), { tenantId: '202102193196869708', channelId: '7', userId: '0' })
})

t.test('the case of a percent-encoding – is ignored for reading, and counts for equality', async (t) => {
  const token = makeToken({ ...session, userId: 'u1' }, 1_700_000_000_000)
  const other = token.replaceAll('%3D', '%3d')
  t.not(token, other, 'the sample has a padding')
  t.strictSame(readToken(other), readToken(token))
  t.notOk(equalsStored(other, token))
  t.ok(equalsStored(token, token))
})

t.test('missing padding – as Java permits – is accepted', async (t) => {
  t.strictSame(readToken(wrapJson(session).replace(/(%3D)+$/, '')), session)
})

t.test('a malformed token – is invalid', async (t) => {
  const bad: Array<[string, string]> = [
    ['empty', ''],
    ['a broken percent-encoding', '%E0%A4%A'],
    ['NUL', '%00'],
    ['a line break', '%0d%0aX:1'],
    ['no Base64', 'h%C3%A9llo'],
    ['a space for +', 'ab%20d'],
    ['url-safe alphabet', encodeURIComponent(Buffer.from([0xfb, 0xff, 0xfe]).toString('base64url'))],
    ['encoded twice', encodeURIComponent(makeToken({ ...session, userId: 'u1' }, 1))],
    ['{}', wrap('{}')],
    ['null', wrap('null')],
    ['[]', wrap('[]')],
    ['text', wrap('"x"')],
    ['no JSON', wrap('{"tenantId":')],
    ['invalid UTF-8', wrap(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
    ['3 KiB of nesting', wrap('['.repeat(3072))],
    ['a number with leading zeros', wrap('{"tenantId":0012345678901234567,"channelId":"c","userId":"u"}')],
    ['__proto__', wrap('{"__proto__":{},"tenantId":"t","channelId":"c","userId":"u"}')],
    ['constructor.prototype', wrap('{"constructor":{"prototype":{}},"tenantId":"t","channelId":"c","userId":"u"}')]
  ]
  for (const [what, token] of bad) t.equal(readToken(token), null, what)
})

t.test('each of the three fields – must be an id', async (t) => {
  const values = [
    null, true, {}, [], ['u'], '', ' ', 'a b', 'a*', 'a?', 'a\r\nSET x y', '{tag}', 'a/b', 'ü', 'x'.repeat(65), 1e21, 1.5,
    undefined
  ]
  for (const field of ['tenantId', 'channelId', 'userId']) {
    for (const value of values) {
      t.equal(readToken(wrapJson({ ...session, [field]: value })), null, `${field} ${JSON.stringify(value)}`)
    }
  }
})

t.test('the reader – any input – never throws, and returns bounded values', async () => {
  const anything = fc.oneof(
    fc.string(), fc.string({ unit: 'binary' }), fc.json().map(wrap),
    fc.record({ tenantId: fc.anything(), channelId: fc.anything(), userId: fc.anything() })
      .map((fields) => { try { return wrapJson(fields) } catch { return '' } })
  )
  fc.assert(fc.property(anything, (token) => {
    const read = readToken(token)
    return read === null || Object.values(read).every((value) => /^[\w.:@-]{1,64}$/.test(value))
  }), { numRuns: 2000 })
})
