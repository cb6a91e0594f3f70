import {
  BodyTimeoutError, BodyTooLargeError, InternalError, InvalidBodyError, OverloadedError, TooManyRequestsError,
  UnsupportedContentTypeError
} from './errors.js'
import type { Outcome } from './metrics.js'

const CATALOGUED = /^FST_COBROWSE_(\d{5})$/
const MAX_REASON_LENGTH = 200

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
  const retCode = CATALOGUED.exec(code)?.[1] ?? '50001'
  const status = Math.trunc(Number(retCode) / 100)
  return { status, retCode, retMsg: message, outcome: status < 500 ? 'refused' : 'failed' }
}

/**
 * The chain of causes in one line for the log. Only names, codes and messages: ioredis hangs the command with its
 * arguments, keys and passwords among them, onto its errors.
 */
export function toReason (thrown: unknown): string {
  const parts: string[] = []
  for (let error = thrown; error instanceof Error && parts.length < 4; error = error.cause) {
    const code = 'code' in error ? ` ${String(error.code)}` : ''
    parts.push(`${error.name}${code}: ${error.message}`)
  }
  return parts.join(' < ').slice(0, MAX_REASON_LENGTH)
}

/** The status of a foreign error, where it has one. */
export function statusOf (thrown: unknown): number | undefined {
  const status = typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? thrown.statusCode : undefined
  return typeof status === 'number' ? status : undefined
}

function toCatalogued (thrown: unknown): { code: string, message: string } {
  if (thrown instanceof Error && 'code' in thrown && CATALOGUED.test(String(thrown.code))) {
    return { code: String(thrown.code), message: thrown.message }
  }
  const status = statusOf(thrown) ?? 500
  const Known = BY_STATUS.get(status)
  if (Known !== undefined) return toCatalogued(new Known())
  return toCatalogued(status >= 400 && status < 500 ? new InvalidBodyError('the request is not valid') : new InternalError())
}
