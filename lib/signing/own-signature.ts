import { timingSafeEqual } from 'node:crypto'
import { parse } from 'secure-json-parse'
import type { KeyRing } from './key-ring.js'

/** Seconds after its date for which a signature is still told apart. */
const MAX_AGE_S = 60

/** The node and the user of a signature that a gateway issued. */
export interface OwnSignature {
  node: { id: string, incarnation: string }
  tenant: string
  user: string
}

/**
 * Reads a signature that a client of this gateway, or of one with the same keys, sends back. Both algorithms give the
 * same signature for the same text, so it is good if signing again gives the same.
 *
 * @param now in milliseconds since the epoch
 * @returns undefined if no such gateway issued it, or not within the last minute
 */
export function readOwnSignature (keys: KeyRing, signature: string, now: number): OwnSignature | undefined {
  const [header = '', payload = '', given = ''] = signature.split('.')
  const key = keys.get(String(read(header)?.kid))
  const expected = key?.sign?.(`${header}.${payload}`)
  if (expected === undefined || !isEqual(expected, given)) return undefined
  const { aud, inc, tenant, sub, iat } = read(payload) ?? {}
  if (typeof iat !== 'number' || Math.abs(now / 1000 - iat) > MAX_AGE_S) return undefined
  const [id = '', incarnation = String(inc)] = String(aud).split('/')
  return { node: { id, incarnation }, tenant: String(tenant), user: String(sub) }
}

function read (segment: string): Record<string, unknown> | undefined {
  try {
    return Object(parse(Buffer.from(segment, 'base64url').toString()))
  } catch {
    return undefined
  }
}

function isEqual (one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
