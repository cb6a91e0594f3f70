import { MissingTokenError } from '../errors.js'
import { isNamed } from './header-name.js'

const TOKEN_NAME = 'ccmessaging-token'

/**
 * The token as it was sent. A cookie parser would decode it, keep the first of two, and unwrap quotes; but a token is
 * valid only if it equals the stored text byte by byte, and two that differ mean that one was planted.
 *
 * @param rawHeaders alternating names and values
 * @throws MissingTokenError if there is none, or more than one
 */
export function readRawToken (rawHeaders: readonly string[]): string {
  let token: string | undefined
  const take = (found: string) => {
    if (token !== undefined && token !== found) throw new MissingTokenError()
    token = found
  }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    if (isNamed(name, TOKEN_NAME)) take(value)
    else if (isNamed(name, 'cookie')) readCookies(value, take)
  }
  if (token === undefined || token === '') throw new MissingTokenError()
  return token
}

function readCookies (header: string, take: (token: string) => void): void {
  for (let start = 0; start <= header.length;) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    readCookie(header.slice(start, end), take)
    start = end + 1
  }
}

function readCookie (pair: string, take: (token: string) => void): void {
  const value = valueOf(pair)
  // An old quoted string may span several pairs: parsers that support these see other cookies than parsers that do not.
  if (pair.includes('"') && (value !== undefined || pair.split('"').length % 2 === 0)) throw new MissingTokenError()
  if (value !== undefined) take(value)
}

/** The value of a cookie with the token's name. */
function valueOf (pair: string): string | undefined {
  const start = skipBlanks(pair, 0)
  if (!pair.startsWith(TOKEN_NAME, start) || pair[start + TOKEN_NAME.length] !== '=') return undefined
  return pair.slice(skipBlanks(pair, start + TOKEN_NAME.length + 1), lastBlanks(pair))
}

const isBlank = (text: string, at: number) => text[at] === ' ' || text[at] === '\t'

function skipBlanks (text: string, from: number): number {
  let at = from
  while (isBlank(text, at)) at++
  return at
}

// An expression such as /[ \t]+$/ starts again at each blank of a run: its time is quadratic.
function lastBlanks (text: string): number {
  let end = text.length
  while (isBlank(text, end - 1)) end--
  return end
}
