import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { verifySignature } from '../../../lib/signing/verify.js'
import { signatures } from '../../../lib/testing/conformance/rules/signatures.js'
import { withoutRedis } from '../../support/redis-server.js'
import { check } from './conformance.js'
import { SIGNING } from './start-node.js'
import type { SigningKey, VerifyOptions } from '../../../types/index.js'

const id = 'ed-1'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const only = signatures.map(({ id }) => id)
const signing = { ...SIGNING, keys: [{ id, privateKey }] }
const verifyWith = (keysOf: (signature: string) => SigningKey[]) => ({
  verify: () => async (signature: string, at: Omit<VerifyOptions, 'keys'>) =>
    await verifySignature(signature, { ...SIGNING, ...at, keys: keysOf(signature), acceptJoinOnly: true })
})

t.test('a node with public keys – is checked with a private key – keeps the rules of signatures', {
  skip: withoutRedis
}, async (t) => {
  const report = await check(t, { signing, only, defect: verifyWith(() => [{ id, publicKey }]) })
  t.match(report, { passed: true })
  t.equal(report.rules.filter(({ outcome }) => outcome === 'kept').length, only.length)
})

t.test('a node – takes the public key for the secret of an HMAC – is found', { skip: withoutRedis }, async (t) => {
  const secret = publicKey.export({ type: 'spki', format: 'pem' })
  const isHmac = (signature: string) => Buffer.from(signature.split('.')[0] ?? '', 'base64url').includes('HS256')
  const defect = verifyWith((signature) => isHmac(signature) ? [{ id, secret }] : [{ id, publicKey }])
  const report = await check(t, { signing, only, defect })
  t.strictSame(report.rules.flatMap(({ id, outcome }) => outcome === 'broken' ? [id] : []), ['signature-algorithm'])
  t.match(JSON.stringify(report), /with alg HS256 and the public key in PEM for a secret stays connected/)
})
