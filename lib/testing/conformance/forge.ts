import { createHmac, randomBytes } from 'node:crypto'
import { toBytes } from '../../signature.js'
import type { SigningKey } from '../../../types/signature.js'

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

/** Signs any header and claims with the key. */
export function putTogether ({ header, claims }: Parts, key: SigningKey, hash = 'sha256'): string {
  return sign(`${encode(header)}.${encode(claims)}`, key, hash)
}

/** Signs claims that are not written in canonical Base64url. */
export function putTogetherLoosely ({ header, claims }: Parts, key: SigningKey): string {
  const { jti, ...others } = claims
  // The last character has spare bits unless the number of bytes is a multiple of three.
  const hasSpareBits = Buffer.byteLength(JSON.stringify(claims)) % 3 !== 0
  const written = hasSpareBits ? claims : { jti: `${String(jti)}x`, ...others }
  return sign(`${encode(header)}.${withSpareBits(encode(written))}`, key)
}

function sign (text: string, { secret }: SigningKey, hash = 'sha256'): string {
  return `${text}.${createHmac(hash, toBytes(secret)).update(text).digest('base64url')}`
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

export const freshId = () => randomBytes(16).toString('base64url')
