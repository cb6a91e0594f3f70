import { createHmac } from 'node:crypto'
import { randomId } from './random-id.js'
import { SignatureError } from './errors.js'
import type { Role, SignatureClaims, SigningOptions, VerifyOptions } from '../types/signature.js'

const ISSUER = 'fastify-cobrowse'
const TYPE = 'cobrowse+jwt'
const JOIN_ONLY_TYPE = 'cobrowse-join+jwt'
const ALGORITHM = 'HS256'
const DEFAULT_TTL_S = 15
const DEFAULT_SKEW_S = 5

/** The room, user and node that a signature is issued for. */
export interface Subject {
  tenant: string
  room: string
  user: string
  name: string
  role: Role
  node: { id: string, incarnation: string }
  /** Milliseconds since the epoch, by the store's clock. */
  issuedAt: number
  /** For a room that is already open on the node, under any incarnation of the node. */
  joinOnly?: boolean
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * Makes the issuer of signatures: a JWS in compact form, HS256 (RFC 7515, RFC 7519).
 *
 * @param signing the first key signs
 */
export function createIssuer ({ keys: [key], ttl = DEFAULT_TTL_S }: SigningOptions): (subject: Subject) => string {
  if (key === undefined) throw new TypeError('"signing.keys" option must hold at least one key')
  const { secret } = key
  const header = encode({ alg: ALGORITHM, typ: TYPE, kid: key.id })
  const joinOnlyHeader = encode({ alg: ALGORITHM, typ: JOIN_ONLY_TYPE, kid: key.id })

  return function issue ({ tenant, room, user, name, role, node, issuedAt, joinOnly = false }) {
    const iat = Math.floor(issuedAt / 1000)
    const signed = `${joinOnly ? joinOnlyHeader : header}.${encode({
      iss: ISSUER,
      aud: audienceOf(node, joinOnly),
      tenant,
      room,
      sub: user,
      name,
      role,
      iat,
      exp: iat + ttl,
      jti: randomId(),
      ...(joinOnly && { inc: node.incarnation })
    })}`
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }
}

/**
 * Checks a signature that a client presented to a node. Accepting it only once is the caller's work: remember `id`
 * until `expiresAt` plus the skew.
 *
 * @throws SignatureError if anything is wrong with the signature
 */
export async function verifySignature (signature: string, options: VerifyOptions): Promise<SignatureClaims> {
  const { keys, ttl = DEFAULT_TTL_S, skew = DEFAULT_SKEW_S, node, acceptJoinOnly = false, now = Date.now() } = options
  // Gateways sign only: loaded when it is needed.
  const { decodeProtectedHeader, jwtVerify } = await import('jose')
  try {
    if (!signature.split('.').every(isCanonical)) throw new TypeError('not canonical Base64url')
    // The header is not verified at this point: it only selects the kind to verify, each with its own audience.
    const joinOnly = acceptJoinOnly && decodeProtectedHeader(signature).typ === JOIN_ONLY_TYPE
    const secrets = new Map(keys.map(({ id, secret }) => [id, toBytes(secret)]))
    const { payload } = await jwtVerify(signature, ({ kid }) => {
      const secret = secrets.get(kid ?? '')
      if (secret === undefined) throw new TypeError('unknown key')
      return secret
    }, {
      algorithms: [ALGORITHM],
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

// Ids hold no slash, so neither form can be read as the other.
function audienceOf ({ id, incarnation }: VerifyOptions['node'], joinOnly: boolean): string {
  return joinOnly ? id : `${id}/${incarnation}`
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

/** A key's bytes, from either form of the secret. */
export function toBytes (secret: string | Uint8Array): Uint8Array {
  return typeof secret === 'string' ? Buffer.from(secret) : secret
}
