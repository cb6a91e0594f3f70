import {
  BodyTimeoutError, BodyTooLargeError, InternalError, InvalidBodyError, InvalidTokenError, NotAuthorizedError,
  OverloadedError, TooManyRequestsError, UnsupportedContentTypeError
} from '../errors.js'
import { isCatalogued } from '../common/is-catalogued.js'
import { statusOf } from '../common/status-of.js'
import type { Outcome } from '../gateway/metrics.js'

const RET_CODE = /\d{5}$/

/** The error answer for the caller. */
export interface ErrorAnswer {
  status: number
  retCode: string
  retMsg: string
  outcome: Outcome
}

const BY_STATUS = new Map<number, new () => Error & { code: string }>([
  [401, InvalidTokenError],
  [403, NotAuthorizedError],
  [408, BodyTimeoutError],
  [413, BodyTooLargeError],
  [415, UnsupportedContentTypeError],
  [429, TooManyRequestsError],
  [503, OverloadedError]
])

/**
 * Translates anything thrown inside the route, by the framework, a hook of the host or the plugin.
 *
 * @param statusSet by a hook that called `reply.code()` before it threw; below 400 if no hook did
 */
export function toErrorAnswer (thrown: unknown, statusSet = 200): ErrorAnswer {
  const { code, message } = toCatalogued(thrown, statusSet)
  const retCode = RET_CODE.exec(code)?.[0] ?? '50001'
  const status = Math.trunc(Number(retCode) / 100)
  return { status, retCode, retMsg: message, outcome: status < 500 ? 'refused' : 'failed' }
}

function toCatalogued (thrown: unknown, statusSet: number): { code: string, message: string } {
  if (isCatalogued(thrown)) return thrown
  const status = statusOf(thrown) ?? statusSet
  const Known = BY_STATUS.get(status)
  if (Known !== undefined) return new Known()
  return status >= 400 && status < 500 ? new InvalidBodyError('the request is not valid') : new InternalError()
}
