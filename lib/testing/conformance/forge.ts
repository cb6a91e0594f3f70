import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Algorithm } from '../../signing/keys.js'

/** A signature taken apart. */
export interface Parts {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (segment = ''): Record<string, unknown> => JSON.parse(Buffer.from(segment, 'base64url').toString())

/** @param signature of our own issuer */
export function takeApart (signature: string): Parts {
  const [header, claims] = signature.split('.')
  return { header: decode(header), claims: decode(claims) }
}

/** Makes the last part of a signature from the text before it. */
export type Sign = (text: string) => string

/** Signs with HMAC. */
export const hmac = (secret: string | Uint8Array, hash = 'sha256'): Sign => (text) =>
  createHmac(hash, secret).update(text).digest('base64url')

/** Signs any header and claims. */
export function putTogether ({ header, claims }: Parts, sign: Sign): string {
  const text = `${encode(header)}.${encode(claims)}`
  return `${text}.${sign(text)}`
}

/** Signs claims that are not written in canonical Base64url. */
export function putTogetherLoosely ({ header, claims }: Parts, sign: Sign): string {
  const { jti, ...others } = claims
  // The last character has spare bits unless the number of bytes is a multiple of three.
  const hasSpareBits = Buffer.byteLength(JSON.stringify(claims)) % 3 !== 0
  const written = hasSpareBits ? claims : { jti: `${String(jti)}x`, ...others }
  const text = `${encode(header)}.${withSpareBits(encode(written))}`
  return `${text}.${sign(text)}`
}

/** Another MAC below the same text. */
export function withMac (signature: string, change: (mac: Buffer) => Buffer): string {
  const [header, claims, mac = ''] = signature.split('.')
  return `${header}.${claims}.${change(Buffer.from(mac, 'base64url')).toString('base64url')}`
}

/** Other claims above the same MAC. */
export function withClaims (signature: string, change: Record<string, unknown>): string {
  const [header, , mac] = signature.split('.')
  return `${header}.${encode({ ...takeApart(signature).claims, ...change })}.${mac}`
}

/** The same bytes, written in another way: the last character has bits that mean nothing. */
export function withSpareBits (signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return signature.slice(0, -1) + alphabet.charAt(alphabet.indexOf(signature.slice(-1)) | 1)
}

/** A key that no node knows, as a JWK for those who look for it in the header (RFC 7515, 4.1.3). */
export interface Stranger {
  sign: Sign
  jwk: object
}

export function createStranger (algorithm: Algorithm): Stranger {
  if (algorithm === 'HS256') {
    const secret = freshId() + freshId()
    return { sign: hmac(secret), jwk: { kty: 'oct', k: Buffer.from(secret).toString('base64url') } }
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
    jwk: publicKey.export({ format: 'jwk' })
  }
}

/** The forms in which a program may hold a public key, and take it for a secret (RFC 8725, 2.1). */
export const formsOf = (key: KeyObject): Record<string, string | Buffer> => ({
  'the bytes of the public key': Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url'),
  'the public key in PEM': key.export({ type: 'spki', format: 'pem' }),
  'the public key in DER': key.export({ type: 'spki', format: 'der' })
})

export const freshId = () => randomBytes(16).toString('base64url')
