// Writes signatures.json: `node docs/node-contract/make-signatures.mjs`. What it writes depends on nothing but this
// file.
import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const now = 1_700_000_000_000
const iat = now / 1000
const keys = [
  { id: '2026-11', secret: 'an example secret of 32 bytes !!' },
  { id: '2026-10', secret: 'the secret before it, also 32 by' }
]
const node = { id: 'node-1', incarnation: 'aW5jYXJuYXRpb24tMQ' }
const header = { alg: 'HS256', typ: 'cobrowse+jwt', kid: '2026-11' }
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
function sign (head, payload, secret = keys[0].secret) {
  const signed = `${encode({ ...header, ...head })}.${encode({ ...claims, ...payload })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
const joinOnly = { typ: 'cobrowse-join+jwt' }
const good = (name, signature) => ({ name, valid: true, signature })
const bad = (name, signature) => ({ name, valid: false, signature })
// Valid for a room that is open on the node already, and for nothing else.
const join = (name, signature) => ({ name, valid: false, validJoinOnly: true, signature })
const base = sign({}, {})

const vectors = [
  good('as issued', base),
  good('as issued, for the replayer', sign({}, { role: 'replayer' })),
  good('signed with the previous key', sign({ kid: '2026-10' }, {}, keys[1].secret)),
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
  join('join-only, signed with the previous key', sign({ ...joinOnly, kid: '2026-10' }, { aud: 'node-1' }, keys[1].secret)),
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
  bad('MAC cut', base.slice(0, -4)),
  bad('MAC empty', `${base.split('.').slice(0, 2).join('.')}.`),
  bad('last bits of the MAC not canonical', base.slice(0, -1) + nextLetter(base.at(-1)))
]

// The last letter of 32 bytes in Base64url carries two bits that are not used: a lax decoder reads the same bytes.
function nextLetter (letter) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(letter) + 1]
}

writeFileSync(new URL('signatures.json', import.meta.url), `${JSON.stringify({ now, ttl: 15, skew: 5, keys, node, vectors }, null, 2)}\n`)
