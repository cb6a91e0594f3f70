import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as jose from 'jose'
import t from 'tap'
import { verifySignature } from '../../lib/signing/verify.js'
import { issuerWith } from '../support/issuer.js'
import type { Subject } from '../../lib/signing/issue.js'
import type { VerifyOptions } from '../../types/index.js'

const NOW = 1_700_000_000_000
const key = { id: '2026-11', secret: 'k'.repeat(32) }
const oldKey = { id: '2026-10', secret: 'o'.repeat(40) }
const node = { id: 'node-1', incarnation: 'aW5jYXJuYXRpb24tMQ' }
const subject: Subject = {
  tenant: 't1', room: '1659938875-16806492', user: 'u1', name: '王芳', role: 'recorder', node, issuedAt: NOW + 999
}
const options: VerifyOptions = { keys: [key, oldKey], node, now: NOW }
const issue = issuerWith({ keys: [key, oldKey] })

type Claims = Record<string, unknown>
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = { alg: 'HS256', typ: 'cobrowse+jwt', kid: key.id }
const claims: Claims = {
  iss: 'fastify-cobrowse',
  aud: 'node-1/aW5jYXJuYXRpb24tMQ',
  tenant: 't1',
  room: 'r',
  sub: 'u1',
  name: 'n',
  role: 'recorder',
  iat: NOW / 1000,
  exp: NOW / 1000 + 15,
  jti: 'x'
}
function forge (head: object, payload: unknown, secret = key.secret): string {
  const signed = `${encode(head)}.${encode(payload)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

t.test('an issued signature – verifies, and returns its claims', async (t) => {
  const { id, ...seen } = await verifySignature(issue(subject), options)
  t.match(id, /^[\w-]{22}$/)
  t.strictSame(seen, {
    tenant: 't1',
    room: '1659938875-16806492',
    user: 'u1',
    name: '王芳',
    role: 'recorder',
    node: 'node-1',
    incarnation: 'aW5jYXJuYXRpb24tMQ',
    joinOnly: false,
    issuedAt: NOW / 1000,
    expiresAt: NOW / 1000 + 15
  })
})

t.test('a signature – is valid for its own role only', async (t) => {
  for (const role of ['recorder', 'replayer'] as const) {
    t.equal((await verifySignature(issue({ ...subject, role }), options)).role, role)
  }
})

t.test('an independent reader – agrees', async (t) => {
  const { payload, protectedHeader } = await jose.jwtVerify(issue(subject), Buffer.from(key.secret), {
    issuer: 'fastify-cobrowse', audience: 'node-1/aW5jYXJuYXRpb24tMQ', typ: 'cobrowse+jwt', currentDate: new Date(NOW)
  })
  t.strictSame(protectedHeader, header)
  t.equal(payload.exp, NOW / 1000 + 15)
})

t.test('a join-only signature – is valid for any incarnation of its node, and only if join-only is accepted', async (t) => {
  const signature = issue({ ...subject, joinOnly: true })
  t.equal(jose.decodeProtectedHeader(signature).typ, 'cobrowse-join+jwt')
  t.equal(jose.decodeJwt(signature).aud, 'node-1')
  const later = { ...options, node: { id: 'node-1', incarnation: 'another' } }
  for (const each of [options, later]) {
    t.match(await verifySignature(signature, { ...each, acceptJoinOnly: true }), {
      node: 'node-1', incarnation: null, knownIncarnation: node.incarnation, joinOnly: true, issuedAt: NOW / 1000, expiresAt: NOW / 1000 + 15
    })
    await t.rejects(verifySignature(signature, each), { code: 'FST_COBROWSE_SIGNATURE' })
  }
  const elsewhere = { ...options, acceptJoinOnly: true, node: { ...node, id: 'node-2' } }
  await t.rejects(verifySignature(signature, elsewhere), { code: 'FST_COBROWSE_SIGNATURE' })
  const normal = await verifySignature(issue(subject), { ...options, acceptJoinOnly: true })
  t.match(normal, { joinOnly: false, incarnation: node.incarnation }, 'a verifier that accepts both can tell them apart')
})

t.test('each kind of signature – has its own form of audience', async (t) => {
  const join = { ...header, typ: 'cobrowse-join+jwt' }
  const both = { ...options, acceptJoinOnly: true }
  await t.resolves(verifySignature(forge(join, { ...claims, aud: 'node-1' }), both))
  for (const [what, signature] of [
    ['join-only for one incarnation', forge(join, claims)],
    ['join-only for the id among several', forge(join, { ...claims, aud: ['node-1'] })],
    ['a normal one for the id alone', forge(header, { ...claims, aud: 'node-1' })],
    ['another type', forge({ ...header, typ: 'JWT' }, { ...claims, aud: 'node-1' })],
    ['no type', forge({ alg: 'HS256', kid: key.id }, { ...claims, aud: 'node-1' })],
    ['join-only with another secret', forge(join, { ...claims, aud: 'node-1' }, 'z'.repeat(32))],
    ['join-only without algorithm', `${encode({ ...join, alg: 'none' })}.${encode({ ...claims, aud: 'node-1' })}.`]
  ] as const) await t.rejects(verifySignature(signature, both), { code: 'FST_COBROWSE_SIGNATURE' }, what)
})

t.test('every signature – has its own id, and is short enough for a WebSocket sub-protocol', async (t) => {
  const ids = new Set<string>()
  for (let index = 0; index < 1000; index++) ids.add((await verifySignature(issue(subject), options)).id)
  t.equal(ids.size, 1000)
  t.ok(issue(subject).length < 700)
})

t.test('all keys – verify, and the first one signs', async (t) => {
  const rotated = issuerWith({ keys: [oldKey, key] })(subject)
  t.equal(jose.decodeProtectedHeader(rotated).kid, oldKey.id)
  await t.resolves(verifySignature(rotated, options))
  await t.rejects(verifySignature(rotated, { ...options, keys: [key] }), { code: 'FST_COBROWSE_SIGNATURE' })
})

t.test('a signature – is valid from the skew before its date to the skew after its expiry', async (t) => {
  const signature = issue(subject)
  const at = (seconds: number, more = 0) =>
    verifySignature(signature, { ...options, now: NOW + seconds * 1000 + more }).then(() => 'accepted', () => 'refused')
  t.equal(await at(-6), 'refused')
  t.equal(await at(-5, -1), 'refused')
  t.equal(await at(-5), 'accepted')
  t.equal(await at(0), 'accepted')
  t.equal(await at(5), 'accepted')
  t.equal(await at(20, -1), 'accepted')
  t.equal(await at(20), 'refused')
})

t.test('times accepted by jose but not by the rules – are rejected', async (t) => {
  const iat = NOW / 1000
  for (const change of [
    { exp: iat + 16 }, { exp: iat }, { exp: iat - 1 }, { iat: iat + 0.5 }, { exp: iat + 14.5 }, { exp: 1e15 },
    { exp: -1 }, { iat: iat + 6, exp: iat + 10 }, { exp: undefined }, { iat: undefined }, { nbf: iat + 60 },
    { exp: String(iat + 15) }, { exp: null }
  ]) {
    await t.rejects(verifySignature(forge(header, { ...claims, ...change }), options), JSON.stringify(change))
  }
  await t.resolves(verifySignature(forge(header, claims), options), 'the unchanged claims are valid')
})

t.test('every changed claim or header – is rejected', async (t) => {
  const bad: Array<[string, string]> = [
    ['another node', forge(header, { ...claims, aud: 'node-2/aW5jYXJuYXRpb24tMQ' })],
    ['another incarnation', forge(header, { ...claims, aud: 'node-1/b3RoZXI' })],
    ['an audience among several', forge(header, { ...claims, aud: [claims.aud, 'x'] })],
    ['another issuer', forge(header, { ...claims, iss: 'somebody' })],
    ['an unknown role', forge(header, { ...claims, role: 'admin' })],
    ['no tenant', forge(header, { ...claims, tenant: undefined })],
    ['a room that is no text', forge(header, { ...claims, room: 1 })],
    ['no id', forge(header, { ...claims, jti: '' })],
    ['claims that are no object', forge(header, [claims])],
    ['another type', forge({ ...header, typ: 'JWT' }, claims)],
    ['a join-only type', forge({ ...header, typ: 'cobrowse-join+jwt' }, claims)],
    ['no algorithm', `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`],
    ['another algorithm', forge({ ...header, alg: 'HS512' }, claims)],
    ['RS256 with our key as text', forge({ ...header, alg: 'RS256' }, claims)],
    ['a key that is a path', forge({ ...header, kid: '../../dev/null' }, claims)],
    ['a key of the prototype', forge({ ...header, kid: '__proto__' }, claims)],
    ['no key', forge({ alg: 'HS256', typ: 'cobrowse+jwt' }, claims)],
    ['a critical extension', forge({ ...header, crit: ['x'], x: 1 }, claims)],
    ['another secret', forge(header, claims, 'z'.repeat(32))],
    ['a node record', JSON.stringify({ wssUrl: 'wss://10.1.2.3/ws' })],
    ['nothing', ''],
    ['ten kilobytes', 'a'.repeat(10_240)]
  ]
  for (const [what, signature] of bad) {
    await t.rejects(verifySignature(signature, options), { code: 'FST_COBROWSE_SIGNATURE' }, what)
  }
})

t.test('a changed bit, a truncated or a padded segment – at any place – is rejected', async (t) => {
  const signature = issue(subject)
  const accepted: string[] = []
  const tryOut = async (text: string, what: string) => {
    await verifySignature(text, options).then(() => accepted.push(what), () => {})
  }
  for (let index = 0; index < signature.length; index++) {
    const other = String.fromCharCode(signature.charCodeAt(index) ^ 1)
    await tryOut(signature.slice(0, index) + other + signature.slice(index + 1), `bit at ${index}`)
  }
  for (const cut of [1, 2, 3, 43]) await tryOut(signature.slice(0, -cut), `cut by ${cut}`)
  await tryOut(`${signature}=`, 'padded')
  await tryOut(`${signature}A`, 'longer')
  await tryOut(signature.replace('.', '=.'), 'padded header')
  t.strictSame(accepted, [])
})

t.test('the vectors for other languages hold', async (t) => {
  const file = new URL('../../docs/node-contract/signatures.json', import.meta.url)
  const { keys, node, now, vectors } = JSON.parse(readFileSync(file, 'utf8'))
  for (const { name, signature, valid, validJoinOnly = false } of vectors) {
    const outcome = await verifySignature(signature, { keys, node, now }).then(() => true, () => false)
    t.equal(outcome, valid, name)
    const kind = await verifySignature(signature, { keys, node, now, acceptJoinOnly: true })
      .then(({ joinOnly }) => joinOnly ? 'join-only' : 'normal', () => 'none')
    t.equal(kind, valid ? 'normal' : validJoinOnly ? 'join-only' : 'none', name)
  }
  t.ok(vectors.length >= 30)
})
