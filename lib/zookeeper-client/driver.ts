import { createFrameReader } from './frames.js'
import { assertInternals, changed, zookeeper } from './package.js'
import type { ZooKeeperServer } from './hosts.js'
import type { Client, ConnectionManager } from './package.js'

const PASSWORD_BYTES = 16

/** Data to resume a session on another connection. */
export interface ZooKeeperSession {
  id: Buffer
  password: Buffer
  /** The latest change that was seen: a server that is behind it refuses the connection. */
  zxid: Buffer
}

export interface DriverOptions {
  server: ZooKeeperServer
  chroot: string
  /** `user:password` */
  auth?: string | undefined
  /** Session to resume; left out, a new one. */
  session?: ZooKeeperSession | undefined
  sessionTimeout: number
}

export interface DriverHooks {
  /** The server granted a new session, or resumed one. */
  onSession (): void
  /** The session has expired. */
  onExpired (): void
  onAuthFailed (): void
  /** Called once, at the end of the connection. */
  onEnd (why: string): void
}

/** One client object of the package for one TCP connection: its own reconnects are off, and its parser cannot throw. */
export interface Driver {
  readonly client: Client
  readonly session: ZooKeeperSession
  readonly sessionTimeout: number
  /** Ends the connection; the session lives on. */
  drop (why: string): void
}

/** @throws Error if the package lacks the internals */
export function openDriver (options: DriverOptions, hooks: DriverHooks): Driver {
  const { server, chroot, auth, session, sessionTimeout } = options
  // The package cannot read IPv6 literals, so the server is set below.
  const client = zookeeper().createClient(`unused${chroot}`, {
    sessionTimeout, retries: 0, sessionId: session?.id, sessionPassword: session?.password
  })
  assertInternals(client)
  const manager = client.connectionManager
  if (session !== undefined) manager.zxid = session.zxid
  if (auth !== undefined) client.addAuthInfo('digest', Buffer.from(auth))

  let failure: string | undefined
  let isOver = false

  function end (why: string): void {
    if (isOver) return
    isOver = true
    manager.socket?.destroy()
    hooks.onEnd(why)
  }

  client.on('state', (state) => {
    if (isOver) return
    if (state === zookeeper().State.EXPIRED) hooks.onExpired()
    if (state === zookeeper().State.AUTH_FAILED) hooks.onAuthFailed()
    if (state === zookeeper().State.SYNC_CONNECTED) {
      assertGranted(manager, session)
      hooks.onSession()
    }
  })
  guardParser(manager, () => isOver, end)
  connectOnce(manager, server)

  const socket = manager.socket
  if (socket === undefined) throw changed('connectionManager.socket')
  socket.on('error', (error: NodeJS.ErrnoException) => { failure = error.code })
  // Listen first, since the package fails its calls without the reason.
  socket.prependListener('close', () => {
    end(failure === undefined ? 'the server closed the connection' : `ZooKeeper cannot be reached (${failure})`)
  })

  return {
    client,
    get session () {
      return { id: manager.sessionId, password: manager.sessionPassword, zxid: latest(session?.zxid, manager.zxid) }
    },
    get sessionTimeout () {
      return manager.sessionTimeout
    },
    drop: end
  }
}

/** Passes only whole frames to the package's parser, which keeps rests over a reconnect and recurses for each frame. */
function guardParser (manager: ConnectionManager, isOver: () => boolean, end: (why: string) => void): void {
  const parse = manager.onSocketData
  const readFrames = createFrameReader()
  manager.onSocketData = (bytes) => {
    if (isOver()) return
    try {
      for (const frame of readFrames(bytes)) {
        parse.call(manager, frame)
        if (isOver()) return
        // The package destroys the socket if an answer fits no request.
        if (manager.socket?.destroyed === true) throw new RangeError('an answer without a request')
      }
    } catch {
      end('ZooKeeper sent what is no answer')
    }
  }
}

function connectOnce (manager: ConnectionManager, server: ZooKeeperServer): void {
  const connect = manager.connect
  manager.connect = () => {}
  manager.findNextServer = (callback) => callback(server)
  connect.call(manager)
  // The package's timeout ends with the TCP handshake, which a stopped server completes too.
  if (manager.connectTimeoutHandler !== null) clearTimeout(manager.connectTimeoutHandler)
}

function assertGranted (manager: ConnectionManager, asked: ZooKeeperSession | undefined): void {
  const isSame = asked === undefined || asked.id.equals(manager.sessionId)
  if (!isSame || manager.sessionPassword?.length !== PASSWORD_BYTES) {
    throw new RangeError('the server granted another session')
  }
}

/** Some answers carry a zxid of 0 or less. */
function latest (before: Buffer | undefined, now: Buffer): Buffer {
  return before !== undefined && before.readBigInt64BE() > now.readBigInt64BE() ? before : now
}
