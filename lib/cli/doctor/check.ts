import { UsageError } from '../exit.js'
import { fault } from './finding.js'
import type { Finding, Subject } from './finding.js'

const CHECK_MS = 3000
const MAX_CAUSES = 4
const FIX_OF_STORE = 'see CobrowseRegistryDown in docs/runbook.md'

export interface CheckOptions {
  /** Milliseconds that the check may take. @default 3000 */
  ms?: number
  /** What to do if the check itself fails. Left out: what helps if a store does not answer. */
  fix?: string
}

/**
 * Runs one check. A check that hangs or fails is a fault, and the others go on.
 *
 * @throws UsageError if an argument is wrong
 */
export async function runCheck (
  subject: Subject, work: () => Promise<Finding | Finding[]>, { ms = CHECK_MS, fix = FIX_OF_STORE }: CheckOptions = {}
): Promise<Finding[]> {
  try {
    return [await inTime(ms, work())].flat()
  } catch (error) {
    if (error instanceof UsageError) throw error
    return [fault(subject, `cannot be checked: ${reasonOf(error)}`, fix)]
  }
}

/** Limits a wait. The deadlines of the library do not keep a process alive, and this timer does. */
export async function inTime<T> (ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms)
  })
  return await Promise.race([work, over]).finally(() => clearTimeout(timer))
}

/** The messages of an error and its causes. */
export function reasonOf (error: unknown): string {
  const messages: string[] = []
  for (let at = error; at instanceof Error && messages.length < MAX_CAUSES; at = at.cause) messages.push(at.message)
  return messages.length === 0 ? String(error) : messages.join(': ')
}
