import { InvalidBodyError, OriginNotAllowedError, UnsupportedContentTypeError } from '../errors.js'
import { isNamed } from './header-name.js'
import { ReasonError } from '../common/reason.js'
import { remember } from '../common/remember.js'
import type { FastifyRequest } from 'fastify'

// Generous for a browser behind two balancers; more headers would cost time before the caller is authenticated.
const MAX_HEADERS = 64
const MAX_COOKIE_BYTES = 6144
const MAX_COOKIES = 180

const MAX_CONTENT_TYPE_LENGTH = 128
/** Browsers send a few; a caller may send any number. */
const MAX_CONTENT_TYPES = 100
// A host name has at most 253 characters.
const MAX_ORIGIN_LENGTH = 512
// Node.js takes the first of two (RFC 9112 section 3.2, RFC 9110 section 5.3).
const SINGLE = ['host', 'content-type', 'content-length']

/** A number for each header that may occur once; 0 for all others. */
function bitOf (name: string): number {
  for (let at = 0; at < SINGLE.length; at++) {
    if (isNamed(name, SINGLE[at] ?? '')) return 1 << at
  }
  return 0
}

/** @throws InvalidBodyError for header lines that no honest caller sends */
export function checkHeaders ({ raw: { rawHeaders }, headers }: FastifyRequest): void {
  let seen = 0
  let lines = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    // On HTTP/2 each cookie has a line of its own, and the request line is replaced by four (RFC 9113, section 8).
    if (name.startsWith(':') || isNamed(name, 'cookie')) continue
    if (++lines > MAX_HEADERS) throw new InvalidBodyError(`more than ${MAX_HEADERS} header lines`)
    const bit = bitOf(name)
    if ((seen & bit) !== 0) throw new InvalidBodyError(`more than one ${name.toLowerCase()}`)
    seen |= bit
  }
  const { cookie = '', 'transfer-encoding': coding = 'chunked' } = headers
  if (cookie.length > MAX_COOKIE_BYTES) throw new InvalidBodyError(`more than ${MAX_COOKIE_BYTES} bytes of cookies`)
  if (hasMoreThan(MAX_COOKIES, cookie)) throw new InvalidBodyError(`more than ${MAX_COOKIES} cookies`)
  if (coding.toLowerCase() !== 'chunked') throw new InvalidBodyError('the Transfer-Encoding must be chunked')
}

function hasMoreThan (most: number, cookies: string): boolean {
  let at = -1
  for (let left = most; left > 0; left--) {
    at = cookies.indexOf(';', at + 1)
    if (at === -1) return false
  }
  return true
}

/** @throws UnsupportedContentTypeError unless the declared type is plain JSON in UTF-8 */
export function checkContentType ({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity'
  if (!isJsonInUtf8(headers['content-type'] ?? '') || encoding.toLowerCase() !== 'identity') {
    throw new UnsupportedContentTypeError()
  }
}

const isJsonInUtf8 = remember((contentType: string): boolean => {
  if (contentType.length > MAX_CONTENT_TYPE_LENGTH) return false
  const [mediaType, ...parameters] = contentType.toLowerCase().split(';').map((part) => part.trim())
  if (parameters.at(-1) === '') parameters.pop()
  return mediaType === 'application/json' && parameters.length <= 1 && parameters.every(isCharsetUtf8)
}, MAX_CONTENT_TYPES)

function isCharsetUtf8 (parameter: string): boolean {
  const [name, value, ...more] = parameter.split('=').map((part) => part.trim())
  return name === 'charset' && (value === 'utf-8' || value === '"utf-8"') && more.length === 0
}

/**
 * Rejects web pages that are not allowed. Only browsers send these headers, and no page can leave them out or forge
 * them (Fetch standard, "forbidden request-header"; Fetch Metadata).
 *
 * @throws OriginNotAllowedError
 */
export function checkOrigin ({ headers, host }: FastifyRequest, allowedOrigins: readonly string[]): void {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return
  if (site === undefined && origin === undefined) return
  if (origin !== undefined && allowedOrigins.includes(origin) && isKnownSite(site)) return
  if (site === undefined && isOwnOrigin(origin, host)) return
  throw new OriginNotAllowedError({ cause: new ReasonError('see option "allowedOrigins"') })
}

function isKnownSite (site: unknown): boolean {
  return site === undefined || site === 'same-site' || site === 'cross-site'
}

// The scheme is not compared: TLS ends at the load balancer.
function isOwnOrigin (origin: string | undefined, host: string): boolean {
  if (origin === undefined || origin.length > MAX_ORIGIN_LENGTH || host.length > MAX_ORIGIN_LENGTH) return false
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  const own = `${url.protocol}//${host}`
  return url.origin === origin && /^https?:$/.test(url.protocol) && URL.canParse(own) && new URL(own).host === url.host
}
