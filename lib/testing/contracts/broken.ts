import { AssertionError } from 'node:assert'
import { inspect } from 'node:util'

const COMPARISONS = ['strictEqual', 'deepStrictEqual', 'notStrictEqual']

/** @returns an error with the sentence and the observed result; its `cause` points at the line */
export function toBroken (sentence: string, cause: unknown): Error {
  const error = new Error(`${sentence}\ninstead: ${describe(cause)}`, { cause })
  if (!isComparison(cause)) return error
  const { actual, expected, operator, code } = cause
  // Runners show the difference between the two. An AssertionError would put it into the message.
  return Object.assign(error, { actual, expected, operator, code })
}

function describe (cause: unknown): string {
  if (!(cause instanceof AssertionError)) return cause instanceof Error ? String(cause) : show(cause)
  const { actual, expected, operator, generatedMessage, message } = cause
  // Some versions of Node.js put the difference below a message that was given.
  const [ofCheck = ''] = message.split('\n', 1)
  if (!isComparison(cause)) return ofCheck
  const condition = operator === 'notStrictEqual' ? 'expected anything but' : 'expected'
  return `${generatedMessage ? '' : `${ofCheck}: `}${show(actual)}, ${condition} ${show(expected)}`
}

function isComparison (cause: unknown): cause is AssertionError {
  return cause instanceof AssertionError && COMPARISONS.includes(cause.operator)
}

/** Formats a value on one line, as short as possible. */
export function show (value: unknown): string {
  return inspect(value, { breakLength: Infinity, maxArrayLength: 10, maxStringLength: 200, depth: 3 })
}
