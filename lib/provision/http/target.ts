import { ReasonError } from '../../common/reason.js'
import type { Session } from '../../../types/sessions.js'

// A URL parser percent-encodes braces in a path and leaves them in a query.
const PLACEHOLDER = /(?:\{|%7B)(tenantId|channelId|userId)(?:\}|%7D)/g
const ANY_PLACEHOLDER = /(?:\{|%7B)\w*(?:\}|%7D)/i

/** The address at which to ask for a session. */
export interface Target {
  origin: string
  /** @throws ReasonError if the session's values would make another path than the configured one */
  pathFor (session: Session): string
  /** Whether all sessions have the same path. */
  isConstant: boolean
}

/** @throws TypeError that names the option and the rule */
export function parseTarget (url: string): Target {
  const template = URL.canParse(url) ? new URL(url) : undefined
  if (template === undefined || !/^https?:$/.test(template.protocol) || template.username + template.password !== '' ||
      url.includes('#') || /[{}]/.test(template.hostname)) {
    throw new TypeError('"url" option of httpProvision must be an http:// or https:// URL without credentials, ' +
      'fragment or a placeholder in the host')
  }
  if (ANY_PLACEHOLDER.test(template.href.replace(PLACEHOLDER, ''))) {
    throw new TypeError('"url" option of httpProvision must have no placeholder but {tenantId}, {channelId} and {userId}')
  }
  const { origin, href } = template

  function pathFor (session: Session): string {
    // The pattern allows only names of the session's fields.
    const filled = href.replace(PLACEHOLDER, (_match, field: keyof Session) => encode(session[field]))
    // "." and ".." have no encoding that a URL parser would not read as a step to another path.
    if (new URL(filled).href !== filled) throw new ReasonError('a value of the session cannot be part of a URL')
    return filled.slice(origin.length)
  }
  return { origin, pathFor, isConstant: href.replace(PLACEHOLDER, '') === href }
}

function encode (value: string): string {
  return encodeURIComponent(value).replaceAll("'", '%27')
}
