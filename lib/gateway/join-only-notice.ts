import { toReason } from '../common/reason.js'
import type { FastifyBaseLogger } from 'fastify'

/** While the store recovers, normal and join-only answers alternate: that is one outage. */
const QUIET_MS = 10_000

export interface JoinOnlyNotice {
  /** A normal answer was given. */
  normal (): void
  /** A join-only answer is given. */
  joinOnly (reason: unknown): void
}

/** Tells an operator once per outage that rooms are answered without the store. */
export function createJoinOnlyNotice (log: FastifyBaseLogger, now: () => number): JoinOnlyNotice {
  let lastAt = -Infinity
  let isNormalSince = true

  return {
    normal () {
      isNormalSince = true
    },
    joinOnly (reason) {
      const begins = isNormalSince && now() - lastAt > QUIET_MS
      lastAt = now()
      isNormalSince = false
      if (begins) log.warn({ dependency: 'registry', reason: toReason(reason) }, 'known rooms are answered join-only')
    }
  }
}
