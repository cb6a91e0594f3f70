import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { readKeys } from '../../lib/signing/keys.js'
import type { SigningKey } from '../../types/index.js'

const secret = 's'.repeat(32)
const pair = generateKeyPairSync('ed25519')
const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' })
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

t.test('a list of keys of each kind – is read', async (t) => {
  const keys = readKeys([
    { id: 'a', secret }, { id: 'b', secret: Buffer.from(secret) },
    { id: 'c', privateKey: pair.privateKey }, { id: 'd', privateKey: String(privatePem) },
    { id: 'e', publicKey: pair.publicKey }, { id: 'f', publicKey: String(publicPem) }
  ], true)
  t.strictSame(keys.map(({ id, algorithm, sign }) => `${id} ${algorithm} ${sign === undefined ? 'verifies' : 'signs'}`), [
    'a HS256 signs', 'b HS256 signs', 'c EdDSA signs', 'd EdDSA signs', 'e EdDSA verifies', 'f EdDSA verifies'
  ])
  t.equal(keys[0]?.sign?.('text'), keys[1]?.sign?.('text'), 'text and bytes are the same secret')
  t.equal(keys[2]?.sign?.('text'), keys[3]?.sign?.('text'), 'an object and PEM are the same key')
  t.equal(keys[2]?.logSecret, keys[3]?.logSecret)
})

t.test('a key that cannot be used – is rejected with a sentence that names it and holds no value', async (t) => {
  const wrong: Array<[unknown[], RegExp]> = [
    [[], /"keys" option of signing must be a list of at least one/],
    [[null], /"keys.0" option of signing must be an object \{ id, secret \}/],
    [[{ id: 'k' }], /"signing.keys.0" option must have one of secret, privateKey and publicKey/],
    [[{ id: 'k', secret, publicKey: pair.publicKey }], /must have one of/],
    [[{ id: 'k', secret, privateKey: pair.privateKey }], /must have one of/],
    [[{ id: 'k', secret: 1 }], /"keys.0.secret" option of signing must be a string or bytes/],
    [[{ id: 'k', secret: 'hush' }], /"signing.keys.0.secret" option must be at least 32 bytes long/],
    [[{ id: 'a b', secret }], /"keys.0.id" option/],
    [[{ id: 'k', secret }, { id: 'k', secret }], /"signing.keys.1.id" option must differ/],
    [[{ id: 'k', secret, kty: 'oct' }], /"keys.0.kty" is not an option of signing/],
    [[{ id: 'k', privateKey: 'hush' }], /"signing.keys.0.privateKey" option must be an Ed25519 private key/],
    [[{ id: 'k', privateKey: pair.publicKey }], /privateKey" option must be/],
    [[{ id: 'k', privateKey: rsa.privateKey }], /privateKey" option must be/],
    [[{ id: 'k', privateKey: String(publicPem) }], /privateKey" option must be/],
    [[{ id: 'k', publicKey: 1 }], /"signing.keys.0.publicKey" option must be an Ed25519 public key/],
    [[{ id: 'k', publicKey: rsa.publicKey }], /publicKey" option must be/],
    [[{ id: 'k', publicKey: pair.privateKey }], /publicKey" option must be/],
    [[{ id: 'k', publicKey: String(privatePem) }], /publicKey" option must be/]
  ]
  for (const [keys, message] of wrong) {
    // Wrong on purpose.
    const read = () => readKeys(keys as SigningKey[], false)
    t.throws(read, { name: 'TypeError', message }, String(message))
    t.throws(read, { message: /^(?!.*(hush|sss))/ })
  }
})

t.test('the first key – cannot sign – is rejected on a gateway only', async (t) => {
  const keys = [{ id: 'p', publicKey: pair.publicKey }, { id: 'k', secret }]
  t.throws(() => readKeys(keys, true), /"signing.keys.0" option must have a secret or a private key/)
  t.equal(readKeys(keys, false).length, 2)
})
