import { MissingTokenError } from '../errors.js'

const TOKEN_NAME = 'ccmessaging-token'
const LEADING_BLANKS = /^[ \t]+/

/**
 * The token as it was sent. A cookie parser would decode it, keep the first of two, and unwrap quotes; but a token is
 * valid only if it equals the stored text byte by byte, and two that differ mean that one was planted.
 *
 * @param rawHeaders alternating names and values
 * @throws MissingTokenError if there is none, or more than one
 */
export function readRawToken (rawHeaders: readonly string[]): string {
  const found = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase()
    const value = rawHeaders[index + 1] ?? ''
    if (name === TOKEN_NAME) found.add(value)
    if (name === 'cookie') readCookies(value).forEach((token) => found.add(token))
  }
  const [token, another] = found
  if (token === undefined || token === '' || another !== undefined) throw new MissingTokenError()
  return token
}

function readCookies (header: string): string[] {
  return header.split(';').flatMap((pair) => {
    // An old quoted string may span several pairs: parsers that support these see other cookies than parsers that do
    // not.
    if ((pair.split('"').length - 1) % 2 === 1) throw new MissingTokenError()
    const equals = pair.indexOf('=')
    if (equals === -1) return []
    return pair.slice(0, equals).replace(LEADING_BLANKS, '') === TOKEN_NAME ? [readValue(pair.slice(equals + 1))] : []
  })
}

function readValue (text: string): string {
  const value = trimEnd(text.replace(LEADING_BLANKS, ''))
  if (value.includes('"')) throw new MissingTokenError()
  return value
}

// An expression such as /[ \t]+$/ starts again at each blank of a run: its time is quadratic.
function trimEnd (text: string): string {
  let end = text.length
  while (text.endsWith(' ', end) || text.endsWith('\t', end)) end--
  return text.slice(0, end)
}
