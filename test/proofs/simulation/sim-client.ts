import { momentOf } from '../../../lib/common/clock.js'
import { throwIfOver, withDeadline } from '../../../lib/common/deadline.js'
import { backOffMs, connectMs, shuffle } from '../../../lib/zookeeper-client/back-off.js'
import { BEATS_PER_SESSION } from '../../../lib/zookeeper-client/connection.js'
import { ZooKeeperError } from '../../../lib/zookeeper-client/error.js'
import { serverSide } from './sim-requests.js'
import type { Clock, Moment } from '../../../lib/common/clock.js'
import type { CallOptions, ReadOptions, ZooKeeperClient, ZooKeeperState } from '../../../lib/zookeeper-client/client.js'
import type { Ensemble } from './sim-ensemble.js'
import type { Connection, Network } from './sim-network.js'
import type { Reply, Request } from './sim-requests.js'
import type { Host } from './fixture.js'

const CALL_MS = 300

export interface SimClientOptions {
  ensemble: Ensemble
  network: Network
  host: Host
  sessionTimeout: number
  clock: Clock
}

/** Works as `createZooKeeperClient`: one session, on one connection at a time. */
export function createSimClient (options: SimClientOptions): ZooKeeperClient {
  const { ensemble, network, host, sessionTimeout: asked, clock } = options
  const servers = shuffle(ensemble.servers)
  const listeners = new Set<(state: ZooKeeperState) => void>()
  const armed = new Map<string, Set<() => void>>()
  let waiting = new Set<(error: ZooKeeperError) => void>()
  let state: ZooKeeperState | undefined
  let sessionId: string | undefined
  let connectionStart: Moment | undefined
  /** Connection with a session, or opening one. */
  let tried: Connection | undefined
  let connection: Connection | undefined
  let why: string | undefined = 'not connected'
  let lastZxid = 0
  let heardAt = 0
  let tries = 0
  let isHealthy = false
  let isStarted = false
  let isClosed = false
  let cancelBeat = () => {}
  let cancelLost = () => {}
  let cancelRetry = () => {}

  function change (to: ZooKeeperState): void {
    state = to
    for (const listener of [...listeners]) listener(to)
  }

  function retryAfter (ms: number): void {
    cancelRetry()
    cancelRetry = clock.after(ms, connect)
  }

  function connect (): void {
    if (isClosed) return
    const server = servers[tries++ % servers.length] ?? ensemble.leader
    const startedAt = momentOf(clock)
    const opened = network.connect(host, server, {
      onEvent (kind, path) {
        if (opened !== tried) return
        const keys = kind === 'data' ? [`get ${path}`, `exists ${path}`] : [`children ${path}`]
        for (const key of keys) {
          const watches = armed.get(key) ?? []
          armed.delete(key)
          for (const watch of watches) watch()
        }
      },
      onEnd (reason) {
        if (opened === tried) onEnd(reason)
      }
    })
    tried = opened
    isHealthy = false
    withDeadline({ clock, ms: connectMs(asked, servers.length) }, async () => {
      const id = await ask(opened, serverSide.open(sessionId, asked, lastZxid))
      if (id !== undefined) await ask(opened, serverSide.exists('/', false))
      return id
    }).then((id) => {
      if (opened !== tried) return
      if (id === undefined) return loseSession()
      cancelLost()
      const isKept = sessionId !== undefined
      connectionStart = startedAt
      sessionId = id
      connection = opened
      why = undefined
      change(isKept ? 'reconnected' : 'connected')
      beat()
    }, () => network.end(opened, 'given up'))
  }

  function onEnd (reason: string): void {
    const wasConnected = connection !== undefined
    tried = connection = undefined
    why = reason
    cancelBeat()
    armed.clear()
    if (isHealthy) tries = 0
    rejectAll(reason)
    if (isClosed) return
    if (wasConnected) {
      change('suspended')
      cancelLost = clock.after(Math.max(0, heardAt + asked - clock.monotonic()), loseSession)
    }
    retryAfter(backOffMs(tries, servers.length, sessionId === undefined ? undefined : asked))
  }

  function rejectAll (reason: string): void {
    const failed = waiting
    waiting = new Set()
    for (const reject of failed) reject(new ZooKeeperError('CONNECTION_LOSS', reason))
  }

  /** Gives up a connection that is being opened with this session, and opens one without. */
  function loseSession (): void {
    cancelLost()
    if (sessionId === undefined || isClosed) return
    const opening = tried
    sessionId = tried = connection = undefined
    if (opening !== undefined) network.end(opening, 'the session is over')
    rejectAll('the session is over')
    change('lost')
    retryAfter(0)
  }

  function beat (): void {
    const ms = asked / BEATS_PER_SESSION
    const beaten = connection
    cancelBeat = clock.after(ms, () => {
      if (beaten === undefined) return
      call(serverSide.exists('/', false), { ms }).then(() => {
        isHealthy = true
        if (connection === beaten) beat()
      }, () => network.end(beaten, 'no answer in time'))
    })
  }

  async function ask<T> (through: Connection, { run, ...request }: Request<T>, heard?: () => void): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      const sentAt = clock.monotonic()
      const rejectsAll = waiting
      rejectsAll.add(reject)
      const onReply = (reply: Reply<T>, zxid: number) => {
        rejectsAll.delete(reject)
        lastZxid = Math.max(lastZxid, zxid)
        heardAt = Math.max(heardAt, sentAt)
        if ('code' in reply) return reject(new ZooKeeperError(reply.code, reply.code))
        if (reply.moment !== undefined) ensemble.answered = reply.moment
        heard?.()
        resolve(reply.value)
      }
      network.request(through, {
        ...request,
        run (server) {
          const reply = run(ensemble, server, through)
          const zxid = server.applied
          network.answer(through, () => onReply(reply, zxid))
        }
      })
    })
  }

  async function call<T> (request: Request<T>, options: CallOptions = {}, heard?: () => void): Promise<T> {
    const { signal, ms = CALL_MS } = options
    throwIfOver(signal)
    const through = connection
    if (through === undefined || isClosed) throw new ZooKeeperError('CONNECTION_LOSS', why ?? 'the client is closed')
    return await withDeadline({ clock, ms, within: signal }, async () => await ask(through, request, heard))
  }

  async function read<T> (
    key: string, request: (watches: boolean) => Request<T>, isWatched: (value: T) => boolean, options: ReadOptions = {}
  ): Promise<T> {
    const { watch, ...rest } = options
    const through = connection
    let found: T | undefined
    return await call({
      ...request(watch !== undefined),
      run (...args) {
        const reply = request(watch !== undefined).run(...args)
        if ('value' in reply) found = reply.value
        return reply
      }
    }, rest, () => {
      // A late answer arms the watch although its caller has given up.
      if (watch === undefined || through !== connection || !isWatched(found as T)) return
      const watches = armed.get(key) ?? new Set()
      watches.add(watch)
      armed.set(key, watches)
    })
  }

  const isFound = (value: unknown) => value !== undefined

  return {
    start () {
      if (!isStarted) connect()
      isStarted = true
    },
    state: () => state,
    sessionId: () => sessionId,
    connectionStart: () => connection === undefined ? undefined : connectionStart,
    sessionTimeout: () => asked,
    reason: () => connection === undefined ? why : undefined,
    on (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
    async close () {
      isClosed = true
      listeners.clear()
      if (tried !== undefined) network.end(tried, 'closed')
    },
    get: async (path, options) =>
      await read(`get ${path}`, (watches) => serverSide.get(path, watches), isFound, options),
    exists: async (path, options) =>
      await read(`exists ${path}`, (watches) => serverSide.exists(path, watches), () => true, options),
    children: async (path, options) =>
      await read(`children ${path}`, (watches) => serverSide.children(path, watches), isFound, options),
    multi: async (ops, options) => await call(serverSide.multi(ops), options),
    async create (path, data, options = {}) {
      const failure = await call(serverSide.multi([{ type: 'create', path, data, ephemeral: options.ephemeral }]), options)
      if (failure === undefined) return 'ok'
      if (failure.name === 'NODE_EXISTS') return 'exists'
      if (failure.name === 'NO_NODE') return 'no-parent'
      throw new ZooKeeperError(failure.name, failure.name)
    },
    async remove (path, options = {}) {
      const failure = await call(serverSide.multi([{ type: 'remove', path, version: options.version }]), options)
      if (failure === undefined) return 'ok'
      if (failure.name === 'NO_NODE') return 'absent'
      if (failure.name === 'BAD_VERSION') return 'bad-version'
      throw new ZooKeeperError(failure.name, failure.name)
    }
  }
}
