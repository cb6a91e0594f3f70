import { ReasonError } from './reason.js'

/** In each of these states an ioredis client queues a command until its server comes, for an unknown time. */
const AWAY = new Set(['reconnecting', 'close', 'end', 'disconnecting'])

/** @throws Error if a command given to the client now would wait in its queue */
export function assertReachable ({ status }: { readonly status: string }): void {
  if (AWAY.has(status)) throw new ReasonError(`the Redis client is in state ${status}`)
}

/** Replies of a server that is now a replica. */
const DEMOTED = /\b(READONLY|MASTERDOWN)\b/
const FIRST_WAIT_MS = 1000
/** A server may stay a replica until its address is changed, and others may use the client during that time. */
const LONGEST_WAIT_MS = 10_000
const FORGET_AFTER_MS = 60_000

interface Reconnection {
  at: number
  /** Milliseconds until the next reconnect is allowed. */
  waitMs: number
}

const reconnections = new WeakMap<object, Reconnection>()

/**
 * Makes a client reconnect if the error says that its server is no longer a primary: after a fail-over the address
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

/** A Cluster finds the primary on its own; a client without a retry strategy would stay disconnected for ever. */
function canReconnect (redis: object): redis is Reconnecting {
  const { status, isCluster, options, disconnect } = redis as Record<string, unknown>
  if (status !== 'ready' || isCluster === true || typeof disconnect !== 'function') return false
  const { retryStrategy } = (options ?? {}) as Record<string, unknown>
  return retryStrategy === undefined || typeof retryStrategy === 'function'
}
