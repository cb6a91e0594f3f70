import { DeadlineError, throwIfOver } from '../common/deadline.js'
import { callGuarded } from '../common/emitter.js'
import { createCalls } from './calls.js'
import { ZooKeeperError } from './error.js'
import { parseHosts } from './hosts.js'
import { assertPackage, zookeeper } from './package.js'
import { createSupervisor } from './supervisor.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock, Moment } from '../common/clock.js'
import type { ZooKeeperCalls } from './calls.js'
import type { CallOptions } from './connection.js'
import type { ZooKeeperState } from './supervisor.js'

export { ZooKeeperError } from './error.js'
export type { ReadOptions, ZooKeeperStat } from './calls.js'
export type { CallOptions } from './connection.js'
export type { MultiFailure, ZooKeeperOp } from './multi.js'
export type { ZooKeeperState } from './supervisor.js'

export interface ZooKeeperClientOptions {
  /** `host:port,host:port/chroot` */
  hosts: string
  /** Digest credentials, `user:password`. Only clients with the same credentials can use created znodes. */
  auth?: string | undefined
  /** Requested milliseconds; the server may grant others. */
  sessionTimeout: number
  /** Milliseconds of a call that names none. @default 300 */
  callMs?: number | undefined
  clock: Clock
  log (): FastifyBaseLogger | undefined
}

export interface ZooKeeperClient extends ZooKeeperCalls {
  /** Begins to connect, and retries until the client is closed. */
  start (): void
  /** State of the connection; undefined before the first one, and after `close`. */
  state (): ZooKeeperState | undefined
  /** 16 hex digits, new with each session; undefined if there is none. */
  sessionId (): string | undefined
  /** Just before the present connection was opened: the leader heard of the session then. Undefined without one. */
  connectionStart (): Moment | undefined
  /** Milliseconds that the server granted; before that, the requested ones. */
  sessionTimeout (): number
  /** Reason of a missing connection, without host and credentials; undefined while connected. */
  reason (): string | undefined
  /**
   * Adds a listener. Watches are lost with `suspended`, so read everything again on `connected` and `reconnected`.
   *
   * @returns unsubscribes
   */
  on (listener: (state: ZooKeeperState) => void): () => void
  /** Ends the session at the server, if that answers in time. Calls fail from now on. */
  close (): Promise<void>
}

export interface MortalClient extends ZooKeeperClient {
  /** Drops the connection as the end of the process does: the session lives until it expires at the server. */
  abandon (): void
}

/** @throws TypeError if `hosts` is no list of servers, Error if the package lacks the internals */
export function createZooKeeperClient (options: ZooKeeperClientOptions): MortalClient {
  const { auth, sessionTimeout, callMs, clock, log } = options
  const hosts = parseHosts(options.hosts)
  assertPackage()
  const listeners = new Set<(state: ZooKeeperState) => void>()
  let isClosed = false

  function limited (call?: CallOptions): CallOptions | undefined {
    return callMs === undefined ? call : { signal: call?.signal, ms: call?.ms ?? callMs }
  }

  const supervisor = createSupervisor({
    ...hosts,
    auth,
    sessionTimeout,
    clock,
    onState (state) {
      log()?.debug({ state, reason: reasonOf(supervisor.failure) }, 'state of the ZooKeeper session')
      for (const listener of [...listeners]) callGuarded(() => listener(state))
    }
  })

  return {
    ...createCalls(async (send, options) => {
      throwIfOver(options?.signal)
      const { connection, failure } = supervisor
      if (connection !== undefined) return await connection.call(send, limited(options))
      const code = failure instanceof ZooKeeperError && failure.code === 'AUTH_FAILED' ? failure.code : 'CONNECTION_LOSS'
      throw new ZooKeeperError(code, isClosed ? 'the client is closed' : reasonOf(failure) ?? 'not connected yet')
    }, auth === undefined ? zookeeper().ACL.OPEN_ACL_UNSAFE : zookeeper().ACL.CREATOR_ALL_ACL),
    start: supervisor.start,
    state: () => supervisor.state,
    sessionId: () => supervisor.session?.id.toString('hex'),
    connectionStart: () => supervisor.connection?.startedAt,
    sessionTimeout: () => supervisor.sessionTimeout,
    reason: () => supervisor.connection === undefined ? reasonOf(supervisor.failure) : undefined,
    on (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    async close () {
      isClosed = true
      listeners.clear()
      await supervisor.close()
    },
    abandon () {
      isClosed = true
      listeners.clear()
      supervisor.abandon()
    }
  }
}

function reasonOf (failure: unknown): string | undefined {
  if (failure === undefined) return undefined
  if (failure instanceof DeadlineError) return 'ZooKeeper does not answer in time'
  return failure instanceof Error ? failure.message : 'ZooKeeper cannot be reached'
}
