import { authRetryMs, backOffMs, connectMs, shuffle } from './back-off.js'
import { openConnection } from './connection.js'
import { ZooKeeperError } from './error.js'
import type { Alarm, Clock } from '../common/clock.js'
import type { ZooKeeperConnection } from './connection.js'
import type { ZooKeeperSession } from './driver.js'
import type { ZooKeeperHosts } from './hosts.js'

/** Milliseconds that a close waits for a server to end the session. */
const CLOSE_MS = 500

/**
 * States as in Curator. `connected`: with a new session · `suspended`: no connection, and the session may live ·
 * `reconnected`: with the same session · `lost`: the session is over, and its znodes are deleted or soon will be.
 * Curator's `read-only` never occurs, since a server without a quorum is not asked to serve reads.
 */
export type ZooKeeperState = 'connected' | 'suspended' | 'reconnected' | 'lost'

export interface SupervisorOptions extends ZooKeeperHosts {
  auth?: string | undefined
  /** Requested milliseconds. */
  sessionTimeout: number
  clock: Clock
  onState (state: ZooKeeperState): void
}

/** Keeps one session on one connection at a time, for as long as servers allow. */
export interface Supervisor {
  readonly state: ZooKeeperState | undefined
  readonly session: ZooKeeperSession | undefined
  readonly sessionTimeout: number
  readonly connection: ZooKeeperConnection | undefined
  /** Reason of a missing connection. */
  readonly failure: unknown
  start (): void
  close (): Promise<void>
  /** Closes without ending the session. */
  abandon (): void
}

export function createSupervisor (options: SupervisorOptions): Supervisor {
  const { chroot, auth, clock, onState } = options
  const servers = shuffle(options.servers)
  let state: ZooKeeperState | undefined
  let session: ZooKeeperSession | undefined
  let connection: ZooKeeperConnection | undefined
  let failure: unknown
  let { sessionTimeout } = options
  let next = 0
  let tries = 0
  let attempt = new AbortController()
  let running: Promise<void> | undefined
  let ending: Promise<void> | undefined
  let loss: Alarm | undefined
  const closing = new AbortController()

  async function run (): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await hold(await open())
      } catch (error) {
        failure = error
      }
      if (isFailure('SESSION_EXPIRED')) loseSession()
      else await sleep(waitMs())
    }
  }

  function waitMs (): number {
    if (isFailure('AUTH_FAILED')) return authRetryMs()
    return backOffMs(tries, servers.length, session === undefined ? undefined : sessionTimeout)
  }

  async function open (): Promise<ZooKeeperConnection> {
    const server = servers[next++ % servers.length]
    if (server === undefined) throw new TypeError('there is no server')
    tries++
    attempt = new AbortController()
    const asked = { server, chroot, auth, session, sessionTimeout: options.sessionTimeout, clock: options.clock }
    const opened = await openConnection(asked, connectMs(sessionTimeout, servers.length), attempt.signal)
    if (attempt.signal.aborted) opened.drop('too late')
    attempt.signal.throwIfAborted()
    return opened
  }

  async function hold (opened: ZooKeeperConnection): Promise<void> {
    const isKept = session !== undefined
    loss?.cancel()
    session = opened.session
    sessionTimeout = opened.sessionTimeout
    connection = opened
    failure = undefined
    if (closing.signal.aborted) opened.endSession()
    else change(isKept ? 'reconnected' : 'connected')
    failure = await opened.ended
    connection = undefined
    session = opened.session
    if (opened.isHealthy) tries = 0
    if (closing.signal.aborted) return
    change('suspended')
    awaitLoss(opened.heardAt + sessionTimeout - clock.monotonic())
  }

  /** Ends the session by a timer, since a server reports an expiry only over a connection. */
  function awaitLoss (ms: number): void {
    loss = clock.alarm(Math.max(0, ms), { fire: loseSession })
  }

  function loseSession (): void {
    loss?.cancel()
    if (session === undefined || closing.signal.aborted) return
    session = undefined
    attempt.abort(new ZooKeeperError('SESSION_EXPIRED', 'no answer from ZooKeeper within the session timeout'))
    change('lost')
  }

  function isFailure (code: string): boolean {
    return failure instanceof ZooKeeperError && failure.code === code
  }

  function change (to: ZooKeeperState): void {
    state = to
    onState(to)
  }

  async function sleep (ms: number): Promise<void> {
    if (closing.signal.aborted) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ms, () => {
        closing.signal.removeEventListener('abort', wake)
        resolve()
      })
      const wake = () => {
        cancel()
        resolve()
      }
      closing.signal.addEventListener('abort', wake, { once: true })
    })
  }

  function abandon (): void {
    closing.abort()
    loss?.cancel()
    attempt.abort(new ZooKeeperError('CONNECTION_LOSS', 'closed'))
    connection?.drop('closed')
  }

  async function end (): Promise<void> {
    closing.abort()
    loss?.cancel()
    // An attempt that resumes a session is awaited, since the session may own znodes.
    if (session === undefined) abandon()
    connection?.endSession()
    const alarm = clock.alarm(CLOSE_MS, { fire: abandon })
    await running
    alarm.cancel()
    session = undefined
    state = undefined
  }

  return {
    get state () {
      return state
    },
    get session () {
      return session
    },
    get sessionTimeout () {
      return sessionTimeout
    },
    get connection () {
      return closing.signal.aborted ? undefined : connection
    },
    get failure () {
      return failure
    },
    start () {
      running ??= run()
    },
    async close () {
      ending ??= end()
      await ending
    },
    abandon
  }
}
