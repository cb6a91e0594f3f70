// Writes signatures.json and signatures-eddsa.json: `node docs/node-contract/make-signatures.mjs`. What it writes
// depends on nothing but this file.
import { createHmac, createPrivateKey, createPublicKey, sign as signWith } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const now = 1_700_000_000_000
const iat = now / 1000
const node = { id: 'node-1', incarnation: 'aW5jYXJuYXRpb24tMQ' }
const claims = {
  iss: 'fastify-cobrowse',
  aud: 'node-1/aW5jYXJuYXRpb24tMQ',
  tenant: 't1',
  room: '1659938875-16806492',
  sub: 'u1',
  name: '王芳',
  role: 'recorder',
  iat,
  exp: iat + 15,
  jti: 'AAECAwQFBgcICQoLDA0ODw'
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (secret) => (text) => createHmac('sha256', secret).update(text).digest('base64url')
const good = (name, signature) => ({ name, valid: true, signature })
const bad = (name, signature) => ({ name, valid: false, signature })
// Valid for a room that is open on the node already, and for nothing else.
const join = (name, signature) => ({ name, valid: false, validJoinOnly: true, signature })
const joinOnly = { typ: 'cobrowse-join+jwt' }

/**
 * @param alg of both keys
 * @param signers functions that sign text with the present key, `2026-11`, and with the previous one, `2026-10`
 * @param last name of the last part of a signature
 */
function vectorsOf (alg, signers, last) {
  const header = { alg, typ: 'cobrowse+jwt', kid: '2026-11' }
  function sign (head, payload, key = 0) {
    const signed = `${encode({ ...header, ...head })}.${encode({ ...claims, ...payload })}`
    return `${signed}.${signers[key](signed)}`
  }
  const base = sign({}, {})

  return [
    good('as issued', base),
    good('as issued, for the replayer', sign({}, { role: 'replayer' })),
    good('signed with the previous key', sign({ kid: '2026-10' }, {}, 1)),
    good('shorter life', sign({}, { exp: iat + 1 })),
    good('ended less than the skew of 5 s ago', sign({}, { iat: iat - 19, exp: iat - 4 })),
    good('starts within the skew', sign({}, { iat: iat + 5, exp: iat + 20 })),
    bad('ended the skew ago', sign({}, { iat: iat - 20, exp: iat - 5 })),
    bad('starts beyond the skew', sign({}, { iat: iat + 6, exp: iat + 21 })),
    bad('lives longer than 15 s', sign({}, { exp: iat + 16 })),
    bad('ends before it starts', sign({}, { exp: iat - 1 })),
    bad('exp is text', sign({}, { exp: String(iat + 15) })),
    bad('exp is a fraction', sign({}, { exp: iat + 14.5 })),
    bad('another node', sign({}, { aud: 'node-2/aW5jYXJuYXRpb24tMQ' })),
    bad('another incarnation', sign({}, { aud: 'node-1/AAAA' })),
    bad('another issuer', sign({}, { iss: 'somebody-else' })),
    bad('unknown role', sign({}, { role: 'admin' })),
    bad('no room', sign({}, { room: undefined })),
    bad('type JWT', sign({ typ: 'JWT' }, {})),
    join('join-only', sign(joinOnly, { aud: 'node-1' })),
    join('join-only, signed with the previous key', sign({ ...joinOnly, kid: '2026-10' }, { aud: 'node-1' }, 1)),
    bad('join-only, for another node', sign(joinOnly, { aud: 'node-2' })),
    bad('join-only, for one incarnation', sign(joinOnly, {})),
    bad('not join-only, for any incarnation', sign({}, { aud: 'node-1' })),
    bad('join-only, ended the skew ago', sign(joinOnly, { aud: 'node-1', iat: iat - 20, exp: iat - 5 })),
    bad('join-only, lives longer than 15 s', sign(joinOnly, { aud: 'node-1', exp: iat + 16 })),
    bad('the type of another kind', sign({ typ: 'cobrowse-watch+jwt' }, { aud: 'node-1' })),
    bad('alg none', `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`),
    bad('unknown key', sign({ kid: '2025-01' }, {})),
    bad('the previous key named, the present one used', sign({ kid: '2026-10' }, {})),
    bad('unknown critical header', sign({ crit: ['x'], x: true }, {})),
    bad('padded', `${base}=`),
    bad(`${last} cut`, base.slice(0, -4)),
    bad(`${last} empty`, `${base.split('.').slice(0, 2).join('.')}.`),
    bad(`last bits of the ${last} not canonical`, base.slice(0, -1) + nextLetter(base.at(-1)))
  ]
}

// The last letter of 32 or 64 bytes in Base64url carries bits that are not used: a lax decoder reads the same bytes.
function nextLetter (letter) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(letter) + 1]
}

function write (name, keys, vectors) {
  const text = JSON.stringify({ now, ttl: 15, skew: 5, keys, node, vectors }, null, 2)
  writeFileSync(new URL(name, import.meta.url), `${text}\n`)
}

const secrets = [
  { id: '2026-11', secret: 'an example secret of 32 bytes !!' },
  { id: '2026-10', secret: 'the secret before it, also 32 by' }
]
write('signatures.json', secrets, vectorsOf('HS256', secrets.map(({ secret }) => hmac(secret)), 'MAC'))

// The private keys are 32 bytes of the same number each (RFC 8410, 7).
const privateKeys = [1, 2].map((byte) => createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]),
  format: 'der',
  type: 'pkcs8'
}))
const [present, previous] = privateKeys.map((key) => createPublicKey(key))
const publicKeys = [['2026-11', present], ['2026-10', previous]].map(([id, key]) => ({
  id, publicKey: key.export({ type: 'spki', format: 'pem' }), jwk: key.export({ format: 'jwk' })
}))

/** A signature that takes the public key for the secret of an HMAC. */
function confused (name, secret) {
  const signed = `${encode({ alg: 'HS256', typ: 'cobrowse+jwt', kid: '2026-11' })}.${encode(claims)}`
  return bad(`alg HS256, with ${name} for a secret`, `${signed}.${hmac(secret)(signed)}`)
}

const signers = privateKeys.map((key) => (text) => signWith(null, Buffer.from(text), key).toString('base64url'))
write('signatures-eddsa.json', publicKeys, [
  ...vectorsOf('EdDSA', signers, 'signature'),
  confused('the bytes of the public key', Buffer.from(present.export({ format: 'jwk' }).x, 'base64url')),
  confused('the public key in PEM', present.export({ type: 'spki', format: 'pem' })),
  confused('the public key in DER', present.export({ type: 'spki', format: 'der' }))
])
