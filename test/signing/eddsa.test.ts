import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as jose from 'jose'
import t from 'tap'
import { verifySignature } from '../../lib/signing/verify.js'
import { formsOf } from '../../lib/testing/conformance/forge.js'
import { issuerWith } from '../support/issuer.js'
import type { Subject } from '../../lib/signing/issue.js'

const NOW = 1_700_000_000_000
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const stranger = generateKeyPairSync('ed25519')
const node = { id: 'node-1', incarnation: 'aW5jYXJuYXRpb24tMQ' }
const subject: Subject = {
  tenant: 't1', room: '1659938875-16806492', user: 'u1', name: '王芳', role: 'recorder', node, issuedAt: NOW
}
const issue = issuerWith({ keys: [{ id: 'ed-1', privateKey }] })
const options = { keys: [{ id: 'ed-1', publicKey }], node, now: NOW }

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const refused = { code: 'FST_COBROWSE_SIGNATURE' }

t.test('a signature of a private key – is valid for a node with the public key', async (t) => {
  t.match(await verifySignature(issue(subject), options), { tenant: 't1', name: '王芳', expiresAt: NOW / 1000 + 15 })
  const joinOnly = issue({ ...subject, joinOnly: true })
  t.match(await verifySignature(joinOnly, { ...options, acceptJoinOnly: true }), { joinOnly: true, node: 'node-1' })
  await t.rejects(verifySignature(joinOnly, options), refused)
})

t.test('an independent reader – agrees', async (t) => {
  const { payload, protectedHeader } = await jose.jwtVerify(issue(subject), publicKey, {
    algorithms: ['EdDSA'], audience: 'node-1/aW5jYXJuYXRpb24tMQ', currentDate: new Date(NOW)
  })
  t.strictSame(protectedHeader, { alg: 'EdDSA', typ: 'cobrowse+jwt', kid: 'ed-1' })
  t.equal(payload.room, subject.room)
})

t.test('a signature of another algorithm – under the name of a key – is rejected', async (t) => {
  const [, claims] = issue(subject).split('.')
  const forged = (header: object, last: (text: string) => string) => {
    const text = `${encode(header)}.${claims}`
    return `${text}.${last(text)}`
  }
  const header = { alg: 'EdDSA', typ: 'cobrowse+jwt', kid: 'ed-1' }
  const good = forged(header, (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'))
  await t.resolves(verifySignature(good, options))
  for (const [form, secret] of Object.entries(formsOf(publicKey))) {
    const hmac = (text: string) => createHmac('sha256', secret).update(text).digest('base64url')
    await t.rejects(verifySignature(forged({ ...header, alg: 'HS256' }, hmac), options), refused, `HMAC with ${form}`)
    await t.rejects(verifySignature(forged(header, hmac), options), refused, `HMAC with ${form}, called EdDSA`)
  }
  const byStranger = (text: string) => sign(null, Buffer.from(text), stranger.privateKey).toString('base64url')
  await t.rejects(verifySignature(forged(header, byStranger), options), refused)
  const jwk = stranger.publicKey.export({ format: 'jwk' })
  await t.rejects(verifySignature(forged({ ...header, jwk }, byStranger), options), refused)
  for (const alg of ['none', 'Ed25519', 'ES256', 'HS256']) {
    await t.rejects(verifySignature(forged({ ...header, alg }, () => good.split('.')[2] ?? ''), options), refused, alg)
  }
  const secrets = { ...options, keys: [{ id: 'ed-1', secret: 's'.repeat(32) }] }
  await t.rejects(verifySignature(good, secrets), refused, 'EdDSA for a secret')
})

t.test('a changed bit – at any place – is rejected', async (t) => {
  const signature = issue(subject)
  const accepted = []
  for (let index = 0; index < signature.length; index++) {
    const other = String.fromCharCode(signature.charCodeAt(index) ^ 1)
    const changed = signature.slice(0, index) + other + signature.slice(index + 1)
    if (await verifySignature(changed, options).then(() => true, () => false)) accepted.push(index)
  }
  t.strictSame(accepted, [])
})

t.test('gateways – change from a secret to a private key – nodes with both accept either', async (t) => {
  const secretKey = { id: 'hs-1', secret: 's'.repeat(32) }
  const keys = [secretKey, { id: 'ed-1', publicKey }]
  for (const signing of [{ keys: [secretKey] }, { keys: [{ id: 'ed-1', privateKey }] }]) {
    await t.resolves(verifySignature(issuerWith(signing)(subject), { ...options, keys }))
  }
})

t.test('a signature with EdDSA – is short enough for a WebSocket sub-protocol', async (t) => {
  t.ok(issue(subject).length < 700)
})

t.test('the vectors with EdDSA for other languages – hold', async (t) => {
  const file = new URL('../../docs/node-contract/signatures-eddsa.json', import.meta.url)
  const { keys: jwks, node, now, vectors } = JSON.parse(readFileSync(file, 'utf8'))
  const keys = jwks.map(({ id, publicKey }: { id: string, publicKey: string }) => ({ id, publicKey }))
  for (const { name, signature, valid, validJoinOnly = false } of vectors) {
    const kind = await verifySignature(signature, { keys, node, now, acceptJoinOnly: true })
      .then(({ joinOnly }) => joinOnly ? 'join-only' : 'normal', () => 'none')
    t.equal(kind, valid ? 'normal' : validJoinOnly ? 'join-only' : 'none', name)
  }
  t.ok(vectors.length >= 30)
})
