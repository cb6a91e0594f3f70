import { createHash, timingSafeEqual } from 'node:crypto'
import secureJson from 'secure-json-parse'
import type { Session } from '../../types/sessions.js'

const MAX_LENGTH = 2048
// The alphabet of the request's own userId; no character with a meaning in a Redis pattern or protocol.
const ID = /^[A-Za-z0-9._:@-]{1,64}$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
// Each match reaches to the end of its token, closed or not, so that no character is read twice.
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*/g
const LONG_INTEGER = /^-?[1-9]\d{15,}$/

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads the user that a `ccmessaging-token` names. Proves nothing: a token is not signed, and is valid only if it
 * equals the stored text.
 *
 * @param token as received, percent-encoded
 * @returns `null` if the token is malformed
 */
export function readToken (token: string): Session | null {
  if (token === '' || token.length > MAX_LENGTH) return null
  try {
    const base64 = decodeURIComponent(token)
    if (!BASE64.test(base64)) return null
    return readSession(parse(utf8.decode(Buffer.from(base64, 'base64'))))
  } catch {
    return null
  }
}

/** The part of the key for a user: the published rule puts no separator between the fields. */
export function toUid ({ tenantId, channelId, userId }: Session): string {
  return tenantId + channelId + userId
}

/** Makes a token of the published form. Not valid before a token store holds it. */
export function makeToken (session: Session, createTime: number): string {
  return encodeURIComponent(Buffer.from(JSON.stringify({ createTime, ...session })).toString('base64'))
}

/** Compares in a time that does not reveal how much is equal. */
export function equalsStored (token: string, stored: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(token), digest(stored))
}

// CC-Messaging is Java: a long id may stand as a bare number, which a JavaScript number would round.
function parse (json: string): unknown {
  const lossless = json.replace(STRING_OR_NUMBER, (found) => LONG_INTEGER.test(found) ? `"${found}"` : found)
  return secureJson.parse(lossless, null, { protoAction: 'error', constructorAction: 'error' })
}

function readSession (value: unknown): Session | null {
  if (typeof value !== 'object' || value === null) return null
  const fields = new Map(Object.entries(value))
  const [tenantId, channelId, userId] = ['tenantId', 'channelId', 'userId'].map((name) => toId(fields.get(name)))
  return tenantId && channelId && userId ? { tenantId, channelId, userId } : null
}

function toId (value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' && ID.test(text) ? text : undefined
}
