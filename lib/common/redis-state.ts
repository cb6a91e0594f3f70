import { ReasonError } from './reason.js'

/** In one of these an ioredis client queues a command until its server comes, for nobody knows how long. */
const AWAY = new Set(['reconnecting', 'close', 'end', 'disconnecting'])

/** @throws Error when a command that is given to the client now would wait in its queue */
export function assertReachable ({ status }: { readonly status: string }): void {
  if (AWAY.has(status)) throw new ReasonError(`the Redis client is in state ${status}`)
}

/** Replies of a server that is a replica now. */
const DEMOTED = /\b(READONLY|MASTERDOWN)\b/
const FIRST_WAIT_MS = 1000
/** A server may stay a replica for as long as its address is not changed, and others may use the client meanwhile. */
const LONGEST_WAIT_MS = 10_000
const FORGET_AFTER_MS = 60_000

interface Reconnection {
  at: number
  /** Until the next one. */
  waitMs: number
}

const reconnections = new WeakMap<object, Reconnection>()

/**
 * Makes a client connect again if the error says that its server is no primary any more: after a fail-over the address
 * leads to another server, but a connection that stays open does not. Several users of one client count as one.
 */
export function reconnectIfDemoted (redis: { readonly status: string }, error: unknown): void {
  if (!(error instanceof Error) || !DEMOTED.test(error.message) || !canReconnect(redis)) return
  const now = performance.now()
  const last = reconnections.get(redis) ?? { at: -Infinity, waitMs: 0 }
  if (now - last.at < last.waitMs) return
  const isFirst = now - last.at > FORGET_AFTER_MS
  reconnections.set(redis, { at: now, waitMs: isFirst ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, 2 * last.waitMs) })
  redis.disconnect(true)
}

interface Reconnecting {
  disconnect (reconnect: boolean): unknown
}

/** A Cluster finds the primary itself; a client without a retry strategy would stay away for ever. */
function canReconnect (redis: object): redis is Reconnecting {
  const { status, isCluster, options, disconnect } = redis as Record<string, unknown>
  if (status !== 'ready' || isCluster === true || typeof disconnect !== 'function') return false
  const { retryStrategy } = (options ?? {}) as Record<string, unknown>
  return retryStrategy === undefined || typeof retryStrategy === 'function'
}
