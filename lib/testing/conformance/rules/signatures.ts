import { KeyObject } from 'node:crypto'
import {
  createStranger, formsOf, freshId, hmac, putTogether, putTogetherLoosely, takeApart, withClaims, withMac, withSpareBits
} from '../forge.js'
import { checkAll } from '../rule.js'
import type { Parts, Sign } from '../forge.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'
import type { Key } from '../../../signing/keys.js'
import type { SigningSettings } from '../../../signing/options.js'

interface Material extends Parts {
  /** A signature that the node would accept. */
  good: string
  key: Key
  /** Signs with the key. */
  sign: Sign
  signing: SigningSettings
  nodeId: string
  /** Seconds, by the store's clock. */
  iat: number
}

/** Forged signatures: a description, and the function that makes one. */
type Forgeries = Record<string, (material: Material) => string | undefined>

const withHeader = (change: Record<string, unknown>) => ({ header, claims, sign }: Material) =>
  putTogether({ header: { ...header, ...change }, claims }, sign)
const withClaim = (change: (material: Material) => Record<string, unknown>) => (material: Material) =>
  putTogether({ header: material.header, claims: { ...material.claims, ...change(material) } }, material.sign)

function refusing (id: string, rule: string, forgeries: Forgeries): Rule {
  return {
    id,
    rule,
    async check (fixture) {
      await expectRefusals(fixture, forgeries, await fixture.sign(fixture.room(), 'recorder'))
    }
  }
}

const checksAlgorithm: Rule = {
  id: 'signature-algorithm',
  rule: 'accepts the algorithm of the key only',
  async check (fixture) {
    const { material } = fixture.settings.signing.keys.first()
    await expectRefusals(fixture, {
      'with alg none and no MAC': (material) => withMac(withHeader({ alg: 'none' })(material), () => Buffer.alloc(0)),
      'with alg none and a good MAC': withHeader({ alg: 'none' }),
      ...(material instanceof KeyObject ? withPublicKeyAsSecret(material) : withLongerMac(material))
    }, await fixture.sign(fixture.room(), 'recorder'))
  }
}

const withAlgorithm = (alg: string, sign: Sign) => ({ header, claims }: Material) =>
  putTogether({ header: { ...header, alg }, claims }, sign)

const withLongerMac = (secret: Uint8Array): Forgeries => ({
  'with alg HS512': withAlgorithm('HS512', hmac(secret, 'sha512'))
})

const withPublicKeyAsSecret = (key: KeyObject): Forgeries => Object.fromEntries(
  Object.entries(formsOf(key)).map(([form, secret]) =>
    [`with alg HS256 and ${form} for a secret`, withAlgorithm('HS256', hmac(secret))])
)

const checksJoinOnly: Rule = {
  id: 'join-only-checked',
  rule: 'checks join-only signatures as strictly as normal ones',
  async check (fixture) {
    const { room } = await fixture.pair()
    await expectRefusals(fixture, {
      'with a bit of the MAC of a join-only signature flipped': ({ good }) => withMac(good, flipBit),
      'with another node in aud of a join-only signature': withClaim(({ nodeId }) => ({ aud: `another-${nodeId}` })),
      'with an incarnation in aud of a join-only signature': withClaim(({ claims, nodeId }) =>
        ({ aud: `${nodeId}/${String(claims.inc)}` })),
      'whose join-only signature ended an hour ago': withClaim(({ iat, signing: { ttl } }) =>
        ({ iat: iat - ttl - 3600, exp: iat - 3600 })),
      'whose join-only signature lives too long': withClaim(({ iat, signing: { ttl } }) => ({ exp: iat + ttl + 1 }))
    }, await fixture.issueJoinOnly(room, 'replayer'))
  }
}

/** @param good is made anew for each forgery, since a used `jti` would be another reason to refuse it */
async function expectRefusals (fixture: Fixture, forgeries: Forgeries, good: string): Promise<void> {
  const { settings: { signing, signText: sign, nodeId } } = fixture
  const key = signing.keys.first()
  await checkAll(Object.entries(forgeries).map(async ([wrong, forge]) => {
    const { header, claims: { jti, ...claims } } = takeApart(good)
    const parts = { header, claims: { jti: freshId(), ...claims } }
    const material = {
      good: putTogether(parts, sign), ...parts, key, sign, signing, nodeId, iat: Number(claims.iat)
    }
    await fixture.refused(fixture.connect(forge(material)), [4401], `a client ${wrong}`)
  }))
}

const flipBit = (mac: Buffer) => mac.fill((mac[0] ?? 0) ^ 1, 0, 1)

export const signatures: readonly Rule[] = [
  refusing('signature-missing', 'refuses a client without a signature', {
    'without a signature': () => undefined,
    'with a word for a signature': () => 'signature',
    'with 5,000 letters for a signature': () => 'x'.repeat(5000)
  }),
  refusing('signature-forged', 'checks the MAC', {
    'with a bit of the MAC flipped': ({ good }) => withMac(good, flipBit),
    'with half a MAC': ({ good }) => withMac(good, (mac) => mac.subarray(0, 16)),
    'without a MAC': ({ good }) => withMac(good, () => Buffer.alloc(0)),
    'with a role changed under the MAC': ({ good }) => withClaims(good, { role: 'replayer' })
  }),
  refusing('signature-key', 'selects the key by "kid", from its own list only', {
    'with a key that nobody knows, under a known name': ({ header, claims, key: { algorithm } }) =>
      putTogether({ header, claims }, createStranger(algorithm).sign),
    'with a key of an unknown name': withHeader({ kid: 'unknown' }),
    'without the name of a key': withHeader({ kid: undefined }),
    'with a key in the header, under a known name': ({ header, claims, key: { algorithm } }) => {
      const { sign, jwk } = createStranger(algorithm)
      return putTogether({ header: { ...header, jwk }, claims }, sign)
    },
    'with a key called __proto__': withHeader({ kid: '__proto__' })
  }),
  checksAlgorithm,
  refusing('signature-type', 'refuses any "typ" other than cobrowse+jwt and cobrowse-join+jwt', {
    'with typ JWT': withHeader({ typ: 'JWT' }),
    'with a typ of later days': withHeader({ typ: 'cobrowse-later+jwt' }),
    'without a typ': withHeader({ typ: undefined })
  }),
  refusing('signature-audience', 'refuses a signature for another node, or for more than one', {
    'with another node in aud': withClaim(({ claims }) => ({ aud: `another-${String(claims.aud)}` })),
    'with the node id alone in aud': withClaim(({ nodeId }) => ({ aud: nodeId })),
    'with a list in aud': withClaim(({ claims }) => ({ aud: [claims.aud, 'another/node'] })),
    'without aud': withClaim(() => ({ aud: undefined }))
  }),
  refusing('signature-incarnation', 'refuses a signature for another incarnation of the node', {
    'with an older incarnation in aud': withClaim(({ nodeId }) => ({ aud: `${nodeId}/${freshId()}` }))
  }),
  refusing('signature-claims', 'refuses a signature with a claim that is missing or has a wrong value', {
    'with another iss': withClaim(() => ({ iss: 'another' })),
    'with the role admin': withClaim(() => ({ role: 'admin' })),
    ...Object.fromEntries(['tenant', 'room', 'sub', 'name', 'role', 'jti'].map((name) =>
      [`without ${name}`, withClaim(() => ({ [name]: undefined }))]))
  }),
  refusing('signature-expired', 'refuses a signature that expired longer ago than the skew', {
    'whose signature ended one second more than the skew ago': withClaim(({ iat, signing: { ttl, skew } }) =>
      ({ iat: iat - ttl - skew - 1, exp: iat - skew - 1 })),
    'whose signature ended an hour ago': withClaim(({ iat, signing: { ttl } }) =>
      ({ iat: iat - ttl - 3600, exp: iat - 3600 }))
  }),
  refusing('signature-times', 'refuses a signature that lives too long, is not yet valid, or has times with fractions', {
    'whose signature lives longer than the ttl': withClaim(({ iat, signing: { ttl } }) => ({ exp: iat + ttl + 1 })),
    'whose signature lives for ever': withClaim(() => ({ exp: undefined })),
    'whose signature begins in half a minute': withClaim(({ iat, signing: { ttl, skew } }) =>
      ({ iat: iat + skew + 30, exp: iat + skew + 30 + ttl })),
    'whose signature begins five seconds after the skew': withClaim(({ iat, signing: { ttl, skew } }) =>
      ({ iat: iat + skew + 5, exp: iat + skew + 5 + ttl })),
    'whose signature ends before it begins': withClaim(({ iat }) => ({ exp: iat - 1 })),
    'whose signature ends as it begins': withClaim(({ iat }) => ({ exp: iat })),
    'with a text for exp': withClaim(({ claims }) => ({ exp: String(claims.exp) })),
    'with a fraction for exp': withClaim(({ iat }) => ({ exp: iat + 0.5 })),
    'without iat': withClaim(() => ({ iat: undefined }))
  }),
  refusing('signature-canonical', 'refuses a signature that is not written in canonical Base64url', {
    'with other spare bits in the MAC': ({ good }) => withSpareBits(good),
    'with other spare bits in the claims': (material) => putTogetherLoosely(material, material.sign),
    'with a fourth segment': ({ good }) => `${good}.e30`
  }),
  checksJoinOnly
]
