import { audienceOf, ISSUER, JOIN_ONLY_TYPE, TYPE } from './format.js'
import { SignatureError } from '../errors.js'
import { createKeyRing } from './key-ring.js'
import { SIGNING_DEFAULTS } from './options.js'
import type { KeyRing } from './key-ring.js'
import type { SignatureClaims, SigningKeys, VerifyOptions } from '../../types/signature.js'

/** Key rings of the lists and sources that `verifySignature` was called with. */
const rings = new WeakMap<SigningKeys, KeyRing>()

/**
 * Checks a signature that a client presented to a node. Accepting it only once is the caller's work: remember `id`
 * until `expiresAt` plus the skew.
 *
 * @throws SignatureError if anything is wrong with the signature
 * @throws TypeError that names the key and the rule if a key cannot be used
 */
export async function verifySignature (signature: string, options: VerifyOptions): Promise<SignatureClaims> {
  const { keys, ...others } = options
  return await verifyWith(ringOf(keys), signature, others)
}

function ringOf (keys: SigningKeys): KeyRing {
  // A function, so that the list may change between two calls.
  const ring = rings.get(keys) ?? createKeyRing(Array.isArray(keys) ? () => keys : keys, false)
  rings.set(keys, ring)
  return ring
}

/** @throws SignatureError */
export async function verifyWith (
  keys: KeyRing, signature: string, options: Omit<VerifyOptions, 'keys'>
): Promise<SignatureClaims> {
  const {
    ttl = SIGNING_DEFAULTS.ttl, skew = SIGNING_DEFAULTS.skew, node, acceptJoinOnly = false, now = Date.now()
  } = options
  // Gateways sign only: loaded when it is needed.
  const { decodeProtectedHeader, jwtVerify } = await import('jose')
  try {
    if (!signature.split('.').every(isCanonical)) throw new TypeError('not canonical Base64url')
    // The header is not verified at this point: it only selects the kind to verify, each with its own audience.
    const joinOnly = acceptJoinOnly && decodeProtectedHeader(signature).typ === JOIN_ONLY_TYPE
    const { payload } = await jwtVerify(signature, async ({ kid, alg }) => {
      const key = await keys.find(kid ?? '')
      if (key === undefined) throw new TypeError('unknown key')
      // A public key is no secret: an HMAC with it proves nothing.
      if (key.algorithm !== alg) throw new TypeError('the key is for another algorithm')
      return key.material
    }, {
      algorithms: ['HS256', 'EdDSA'],
      typ: joinOnly ? JOIN_ONLY_TYPE : TYPE,
      issuer: ISSUER,
      audience: audienceOf(node, joinOnly),
      clockTolerance: skew,
      currentDate: new Date(now)
    })
    return readClaims(payload, { node, joinOnly, ttl, latestStart: now / 1000 + skew })
  } catch (cause) {
    throw new SignatureError({ cause })
  }
}

interface Bounds {
  node: VerifyOptions['node']
  joinOnly: boolean
  ttl: number
  latestStart: number
}

// jose accepts a fraction or a string of digits as a time, an exp before iat and an audience among several.
function readClaims (payload: Record<string, unknown>, bounds: Bounds): SignatureClaims {
  const { node, joinOnly, ttl, latestStart } = bounds
  const { aud, tenant, room, sub, name, role, iat, exp, jti, inc } = payload
  if (!isText(tenant) || !isText(room) || !isText(sub) || !isText(name) || !isText(jti) || !isText(aud)) {
    throw new TypeError('claim missing')
  }
  if (role !== 'recorder' && role !== 'replayer') throw new TypeError('unknown role')
  if (!isWhole(iat) || !isWhole(exp)) throw new TypeError('times must be whole seconds')
  if (exp <= iat || exp - iat > ttl) throw new TypeError('its lifetime is too long')
  if (iat > latestStart) throw new TypeError('not yet valid')
  return {
    tenant,
    room,
    user: sub,
    name,
    role,
    node: node.id,
    incarnation: joinOnly ? null : node.incarnation,
    ...(joinOnly && isText(inc) && { knownIncarnation: inc }),
    joinOnly,
    issuedAt: iat,
    expiresAt: exp,
    id: jti
  }
}

function isCanonical (segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
