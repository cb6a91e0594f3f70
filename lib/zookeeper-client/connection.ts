import { momentOf } from '../common/clock.js'
import { withDeadline } from '../common/deadline.js'
import { openDriver } from './driver.js'
import { nameOf, ZooKeeperError } from './error.js'
import { createWatches } from './watches.js'
import type { Clock, Moment } from '../common/clock.js'
import type { Ending } from '../common/deadline.js'
import type { DriverOptions, ZooKeeperSession } from './driver.js'
import type { Client, Failure } from './package.js'
import type { ZooKeeperWatches } from './watches.js'

/** Default milliseconds of a call. */
const CALL_MS = 300

/** Heartbeats per session: a stalled server costs one part until the next heartbeat, and one until it times out. */
export const BEATS_PER_SESSION = 3

export interface CallOptions {
  signal?: Ending | undefined
  /** Milliseconds until the call fails. @default 300 */
  ms?: number | undefined
}

/** Passes a request to the package, which calls back once, or never if the connection ends. */
export type Send<T> = (
  client: Client, done: (error: Failure | null | undefined, value: T) => void, watches: ZooKeeperWatches
) => void

/** A connection with a session. */
export interface ZooKeeperConnection {
  readonly session: ZooKeeperSession
  /** Milliseconds that the server granted. */
  readonly sessionTimeout: number
  /** Before the connection was opened. */
  readonly startedAt: Moment
  /** Sending of the latest answered request: the session lives for its timeout from then on, or longer. */
  readonly heardAt: number
  /** Whether a heartbeat was answered. */
  readonly isHealthy: boolean
  /** Resolves with the reason once the connection has ended. */
  readonly ended: Promise<ZooKeeperError>
  /** @throws ZooKeeperError, DeadlineError, or the signal's reason */
  call<T> (send: Send<T>, options?: CallOptions): Promise<T>
  /** Asks the server to end the session; the server then closes the connection. */
  endSession (): void
  /** Ends the connection; the session lives on. */
  drop (why: string): void
}

export interface ConnectionOptions extends DriverOptions {
  clock: Clock
}

/**
 * Connects to one server, until it has answered a first request on the session.
 *
 * @param ms limit for both together
 * @throws ZooKeeperError `SESSION_EXPIRED`, `AUTH_FAILED` or `CONNECTION_LOSS`, DeadlineError, or the signal's reason
 */
export async function openConnection (
  options: ConnectionOptions, ms: number, signal: AbortSignal
): Promise<ZooKeeperConnection> {
  signal.throwIfAborted()
  const { connection, waitForGrant, startBeating } = startConnection(options)
  try {
    await withDeadline({ clock: options.clock, ms, within: signal }, async () => {
      await connection.call(waitForGrant, { ms })
      await connection.call(ping, { ms })
    })
  } catch (error) {
    connection.drop('given up')
    throw error
  }
  startBeating()
  return connection
}

const ping: Send<unknown> = (client, done) => client.exists('/', undefined, done)

function startConnection (options: ConnectionOptions) {
  const { clock } = options
  const startedAt = momentOf(clock)
  const watches = createWatches()
  const waiting = new Set<(error: ZooKeeperError) => void>()
  let grant = () => {}
  let end = (_why: ZooKeeperError) => {}
  const ended = new Promise<ZooKeeperError>((resolve) => { end = resolve })
  let over: ZooKeeperError | undefined
  let code = 'CONNECTION_LOSS'
  let heardAt = clock.monotonic()
  let isHealthy = false
  let cancelBeat = () => {}

  const driver = openDriver(options, {
    onSession: () => grant(),
    onExpired () {
      // The server can reject only a session that it was asked to resume.
      if (options.session !== undefined) code = 'SESSION_EXPIRED'
      driver.drop('the session expired')
    },
    onAuthFailed () {
      code = 'AUTH_FAILED'
      driver.drop('ZooKeeper refuses the credentials')
    },
    onEnd (why) {
      over = new ZooKeeperError(code, why)
      cancelBeat()
      for (const reject of waiting) reject(over)
      waiting.clear()
      end(over)
    }
  })

  async function call<T> (send: Send<T>, { signal, ms = CALL_MS }: CallOptions = {}): Promise<T> {
    const work = async () => await new Promise<T>((resolve, reject) => {
      if (over !== undefined) return reject(over)
      const sentAt = clock.monotonic()
      waiting.add(reject)
      send(driver.client, (error, value) => {
        waiting.delete(reject)
        if (over !== undefined) return reject(over)
        heardAt = Math.max(heardAt, sentAt)
        if (error) reject(new ZooKeeperError(nameOf(error.code), `ZooKeeper refuses: ${nameOf(error.code)}`))
        else resolve(value)
      }, watches)
    })
    return await withDeadline({ clock, ms, within: signal }, work)
  }

  function startBeating (): void {
    const ms = driver.sessionTimeout / BEATS_PER_SESSION
    cancelBeat = clock.after(ms, async () => {
      try {
        await call(ping, { ms })
        isHealthy = true
        startBeating()
      } catch {
        driver.drop('ZooKeeper does not answer in time')
      }
    })
  }

  const connection: ZooKeeperConnection = {
    startedAt,
    get session () {
      return driver.session
    },
    get sessionTimeout () {
      return driver.sessionTimeout
    },
    get heardAt () {
      return heardAt
    },
    get isHealthy () {
      return isHealthy
    },
    ended,
    call,
    endSession: () => driver.client.close(),
    drop: driver.drop
  }
  const waitForGrant: Send<void> = (_client, done) => { grant = () => done(null) }
  return { connection, waitForGrant, startBeating }
}
