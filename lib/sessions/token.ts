import { timingSafeEqual } from 'node:crypto'
import { parseJson } from '../common/parse-json.js'
import type { Session } from '../../types/sessions.js'

const MAX_LENGTH = 2048
// The alphabet of the request's own userId; no character with a meaning in a Redis pattern or protocol.
const ID = /^[A-Za-z0-9._:@-]{1,64}$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
// Each match reaches to the end of its token, closed or not, so that no character is read twice.
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"?|-?\d[\d.eE+-]*/g
const LONG_DIGITS = 16
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
    const base64 = token.includes('%') ? decodeURIComponent(token) : token
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

/** Compares in a time that does not reveal how much is equal. The length of a token is no secret. */
export function equalsStored (token: string, stored: string): boolean {
  const [given, held] = [Buffer.from(token), Buffer.from(stored)]
  return given.length === held.length && timingSafeEqual(given, held)
}

// CC-Messaging is Java: a long id may stand as a bare number, which a JavaScript number would round.
function parse (json: string): unknown {
  return parseJson(hasLongNumber(json) ? quoteLongNumbers(json) : json)
}

function quoteLongNumbers (json: string): string {
  return json.replace(STRING_OR_NUMBER, (found) => LONG_INTEGER.test(found) ? `"${found}"` : found)
}

/** Whether as many digits follow each other as a long number has: then one of them is at a multiple of that count. */
function hasLongNumber (json: string): boolean {
  for (let at = 0; at < json.length; at += LONG_DIGITS) {
    if (!isDigit(json, at)) continue
    let [first, last] = [at, at]
    while (isDigit(json, first - 1)) first--
    while (isDigit(json, last + 1)) last++
    if (last - first + 1 >= LONG_DIGITS) return true
  }
  return false
}

function isDigit (text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function readSession (value: unknown): Session | null {
  if (typeof value !== 'object' || value === null) return null
  const tenantId = readId(value, 'tenantId')
  const channelId = readId(value, 'channelId')
  const userId = readId(value, 'userId')
  return tenantId && channelId && userId ? { tenantId, channelId, userId } : null
}

function readId (token: object, name: keyof Session): string | undefined {
  return Object.hasOwn(token, name) ? toId((token as Record<string, unknown>)[name]) : undefined
}

function toId (value: unknown): string | undefined {
  const text = Number.isSafeInteger(value) ? String(value) : value
  return typeof text === 'string' && ID.test(text) ? text : undefined
}
