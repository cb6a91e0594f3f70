import { constants } from 'node:os'
import { isCatalogued } from './is-catalogued.js'

const MAX_LENGTH = 200
const MAX_CAUSES = 4
const PLAIN_WORD = /^[\w.-]{1,64}$/
const MAX_SEARCHED = 1000
/** Codes that may be taken from a message: they tell the cause, and nothing of the input that the message quotes. */
const KNOWN_CODES = new Set([
  ...Object.keys(constants.errno), 'ENOTFOUND', 'EAI_AGAIN', 'WRONGTYPE', 'WRONGPASS', 'NOAUTH', 'NOPERM', 'READONLY',
  'LOADING', 'MISCONF', 'OOM', 'BUSY', 'NOREPLICAS', 'MASTERDOWN', 'CLUSTERDOWN', 'CROSSSLOT', 'TRYAGAIN', 'UNKILLABLE'
])

/** An error in our own words, which quote no input. Besides the catalogue's, only messages of this class are logged. */
export class ReasonError extends Error {
  override name = 'ReasonError'
}

/**
 * A dependency answered, but its answer cannot be used for one token, room, node or tenant, or a function of the host
 * failed on it. The breaker does not count such an error, no matter which text the caller receives.
 */
export class AnsweredError extends ReasonError {
  override name = 'AnsweredError'
}

/** Whether the dependency answered, although the caller is told that the dependency is unavailable. */
export function isAnswered (error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof AnsweredError)
}

/**
 * The chain of causes in one line for the log. Foreign errors give only their name and code: the message of a
 * JSON.parse or of a function of the host may quote a token, and ioredis attaches the command with its arguments.
 */
export function toReason (thrown: unknown): string {
  if (!(thrown instanceof Error)) return describeOther(thrown)
  return causesOf(thrown).map(describe).join(' < ').slice(0, MAX_LENGTH)
}

/** The places of the stack without the message at its beginning. */
export function stackOf (error: Error): string {
  const stack = String(error.stack)
  const places = stack.slice(Math.max(0, stack.indexOf(error.message)) + error.message.length)
  return places.split('\n').filter((line) => /^ {4}at /.test(line)).join('\n')
}

/** The error and its causes, up to a fixed number. */
export function causesOf (thrown: unknown): Error[] {
  const causes = []
  for (let error = thrown; error instanceof Error && causes.length < MAX_CAUSES; error = error.cause) causes.push(error)
  return causes
}

function describe (error: Error): string {
  const title = [error.name, codeOf(error)].filter((word) => PLAIN_WORD.test(word)).join(' ')
  return isCatalogued(error) || error instanceof ReasonError ? `${title}: ${error.message}` : title
}

// Hooks also throw plain objects. Their field names carry most of the information that is safe to log.
function describeOther (thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return `a thrown ${thrown === null ? 'null' : typeof thrown}`
  const fields = Object.keys(thrown).filter((name) => PLAIN_WORD.test(name)).join(', ')
  return `a thrown object${fields === '' ? '' : ` with ${fields}`}`.slice(0, MAX_LENGTH)
}

function codeOf (error: Error): string {
  if ('code' in error) return String(error.code)
  const words = error.message.slice(0, MAX_SEARCHED).match(/\b[A-Z_]+\b/g) ?? []
  return words.find((word) => KNOWN_CODES.has(word)) ?? ''
}
