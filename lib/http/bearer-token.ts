import { MissingTokenError } from '../errors.js'

/** The `b64token` of RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i

/** @throws MissingTokenError if there is no bearer token */
export function readBearerToken (authorization: string | undefined): string {
  const token = BEARER.exec(authorization ?? '')?.[1]
  if (token === undefined) throw new MissingTokenError()
  return token
}
