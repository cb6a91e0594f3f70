import type { CobrowseErrorCode, CobrowseFailure } from '../../types/client.js'

/** A connection that lasted this long was a good one: failures before it no longer count. */
const GOOD_MS = 1000
const TRANSIENT_STATUS = [408, 425, 429]
/** Answers from other servers than the gateway, such as a balancer during a deployment, before they are believed. */
const FOREIGN_ANSWERS = 10
const FINAL: readonly CobrowseErrorCode[] = [4403, '40001', '40301', '40302', '41301', '41501']

export interface RetryRules {
  /**
   * Decides how to continue after an attempt that ended.
   *
   * @param openFor milliseconds for which its WebSocket was open
   * @param hasOther whether the node has another address that has not been tried
   * @returns milliseconds until the next attempt; undefined if asking again cannot help
   */
  next (error: CobrowseFailure, openFor: number, hasOther: boolean): number | undefined
}

/**
 * Waits grow and are jittered, so that the clients of a node that died do not return all at once. A client that is sent
 * to another node asks at once, but not in a circle.
 *
 * @param canRenew whether there is a function that returns a new token
 */
export function createRetryRules (
  { minWait, maxWait, canRenew, random = Math.random }:
  { minWait: number, maxWait: number, canRenew: boolean, random?: () => number }
): RetryRules {
  let waits = 0
  let moves = 0
  let refusals = 0
  let foreignAnswers = 0
  let hasAnswer = false

  function backOff (): number {
    const longest = Math.min(maxWait, minWait * 2 ** Math.min(waits++, 30))
    return longest * (0.5 + random() / 2)
  }

  /** The first answer shows that the address is wrong; later, only many in a row do. */
  function isFinal (isFirst: boolean): boolean {
    return isFirst || ++foreignAnswers === FOREIGN_ANSWERS
  }

  return {
    next (error, openFor, hasOther) {
      if (openFor >= GOOD_MS) waits = moves = refusals = 0
      const kind = kindOf(error, canRenew)
      const isFirst = !hasAnswer
      if (error.code !== 'unreachable') hasAnswer = true
      if (error.code !== 'unreachable' && kind !== 'foreign') foreignAnswers = 0
      if (kind === 'foreign' && isFinal(isFirst)) return undefined
      switch (kind) {
        case 'stop': return undefined
        case 'once': return refusals++ === 0 ? 0 : undefined
        case 'moved': return Math.max(moves++ === 0 ? 0 : backOff(), random() * (error.returnWithin ?? 0))
        case 'unopened': return hasOther ? 0 : backOff()
        default: return (error.retryAfter ?? 0) + backOff()
      }
    }
  }
}

function kindOf ({ code, status = 0 }: CobrowseFailure, canRenew: boolean) {
  if (FINAL.includes(code)) return 'stop'
  switch (code) {
    case 4401:
    case 4408: return 'once'
    case '40101':
    case '40102': return canRenew ? 'once' : 'stop'
    case 4410: return 'moved'
    case 'unopened': return 'unopened'
    default: return status >= 400 && status < 500 && !TRANSIENT_STATUS.includes(status) ? 'foreign' : 'transient'
  }
}
