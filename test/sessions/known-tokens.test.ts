import t from 'tap'
import { createKnownTokens } from '../../lib/sessions/known-tokens.js'

const session = { tenantId: 't1', channelId: 'web', userId: 'u1' }

t.test('a token that was added – is known, and each reader gets an object of its own', async (t) => {
  const tokens = createKnownTokens()
  const given = { ...session }
  tokens.add('token', given)
  given.userId = 'changed by the host'
  const first = tokens.get('token')
  t.strictSame(first, session)
  Object.assign(first ?? {}, { userId: 'changed by the host' })
  t.strictSame(tokens.get('token'), session)
})

t.test('a token that was not added – is unknown', async (t) => {
  const tokens = createKnownTokens()
  tokens.add('token', session)
  t.equal(tokens.get('token%3D'), undefined)
})

t.test('a token that is longer than 512 characters – is not remembered', async (t) => {
  const tokens = createKnownTokens()
  for (const length of [512, 513]) tokens.add('x'.repeat(length), session)
  t.strictSame(tokens.get('x'.repeat(512)), session)
  t.equal(tokens.get('x'.repeat(513)), undefined)
})

t.test('more than 10,000 tokens – are forgotten all at once, and remembered anew', async (t) => {
  const tokens = createKnownTokens()
  for (let at = 0; at < 10_000; at++) tokens.add(`token ${at}`, session)
  t.strictSame(tokens.get('token 0'), session)
  tokens.add('one more', session)
  t.equal(tokens.get('token 0'), undefined)
  t.strictSame(tokens.get('one more'), session)
})
