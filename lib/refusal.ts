import {
  BodyTimeoutError, BodyTooLargeError, InternalError, InvalidBodyError, OverloadedError, TooManyRequestsError,
  UnsupportedContentTypeError
} from './errors.js'
import { isCatalogued } from './is-catalogued.js'
import type { Outcome } from './metrics.js'

const RET_CODE = /\d{5}$/

/** What the caller is told. */
export interface Refusal {
  status: number
  retCode: string
  retMsg: string
  outcome: Outcome
}

const BY_STATUS = new Map<number, new () => Error>([
  [408, BodyTimeoutError],
  [413, BodyTooLargeError],
  [415, UnsupportedContentTypeError],
  [429, TooManyRequestsError],
  [503, OverloadedError]
])

/** Translates whatever was thrown inside the route, by the framework, a hook of the host or ourselves. */
export function toRefusal (thrown: unknown): Refusal {
  const { code, message } = toCatalogued(thrown)
  const retCode = RET_CODE.exec(code)?.[0] ?? '50001'
  const status = Math.trunc(Number(retCode) / 100)
  return { status, retCode, retMsg: message, outcome: status < 500 ? 'refused' : 'failed' }
}

/** The status of a foreign error, where it has one. */
export function statusOf (thrown: unknown): number | undefined {
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined
  return typeof status === 'number' ? status : undefined
}

function toCatalogued (thrown: unknown): { code: string, message: string } {
  if (isCatalogued(thrown)) return thrown
  const status = statusOf(thrown) ?? 500
  const Known = BY_STATUS.get(status)
  if (Known !== undefined) return toCatalogued(new Known())
  return toCatalogued(status >= 400 && status < 500 ? new InvalidBodyError('the request is not valid') : new InternalError())
}
