import { Tree } from './sim-tree.js'
import type { MultiFailure, ZooKeeperOp } from '../../../lib/zookeeper-client/client.js'
import type { Clock } from '../../../lib/common/clock.js'
import type { Change } from './sim-tree.js'

const SERVERS = 3
const TICK_MS = 2000
/** Minimum time between two transactions. */
const LEAST_MS = 1e-6
/** Interval in which a follower reports live sessions to the leader. */
const REPORT_MS = TICK_MS / 2
/** Time without news from the leader after which a follower stops serving. */
const SYNC_MS = 5 * TICK_MS

export interface Session {
  readonly id: string
  readonly timeout: number
  expiresAt: number
  isOver: boolean
}

interface Transaction {
  ops: ZooKeeperOp[]
  owner: string
  at: number
  /** Session that is closed with the transaction. */
  ends?: Session | undefined
}

/** `slow` applies the leader's transactions late · `cut` receives them and sends nothing */
export type Lag = 'none' | 'slow' | 'cut'

export interface Server {
  readonly name: number
  readonly tree: Tree
  /** Number of transactions applied. */
  applied: number
  lag: Lag
  isDown: boolean
  /** Sessions that the server heard from, and has not reported to the leader. */
  readonly heard: Set<Session>
}

export interface EnsembleEvents {
  /** Called when a server has applied a transaction. */
  applied (server: Server, changes: Change[], ended: Session | undefined): void
  /** Called when the clients of a server are cut off, with their pending messages. */
  closes (server: Server): void
}

/** Three servers with one leader: its state is the truth, and that of the others an earlier one. */
export class Ensemble {
  readonly servers: Server[]
  #leader = 0
  readonly #log: Transaction[] = []
  readonly #sessions = new Map<string, Session>()
  readonly #clock: Clock
  readonly #events: EnsembleEvents
  isAway = false
  /** Time of the latest transaction, in milliseconds; each transaction has its own. */
  moment = 0
  /** Time of the latest transaction whose answer reached a client. */
  answered = 0
  /** Called with each transaction. */
  onCommit: (changes: Change[]) => void = () => {}

  constructor (clock: Clock, events: EnsembleEvents) {
    this.#clock = clock
    this.#events = events
    this.servers = Array.from({ length: SERVERS }, (_value, name) => ({
      name, tree: new Tree(), applied: 0, lag: 'none', isDown: false, heard: new Set()
    }))
  }

  get leader (): Server {
    return this.server(this.#leader)
  }

  server (at: number): Server {
    const server = this.servers[at % SERVERS]
    if (server === undefined) throw new Error('there is no such server')
    return server
  }

  /** True if requests that need the leader can be handled through this server. */
  reaches (server: Server): boolean {
    return server === this.leader || server.lag !== 'cut'
  }

  openSession (timeout: number): Session {
    const id = (0x10000000 + this.#sessions.size).toString(16).padStart(16, '0')
    const session = { id, timeout, expiresAt: 0, isOver: false }
    this.#sessions.set(id, session)
    this.#touch(session)
    this.#awaitExpiry(session)
    return session
  }

  findSession (id: string): Session | undefined {
    const session = this.#sessions.get(id)
    if (session === undefined || session.isOver) return undefined
    this.#touch(session)
    return session
  }

  /** Records that a server heard from a client. */
  hears (session: Session, server: Server): void {
    if (server === this.leader) return this.#touch(session)
    if (server.heard.size === 0) this.#reportLater(server)
    server.heard.add(session)
  }

  #reportLater (server: Server): void {
    this.#clock.after(REPORT_MS - this.#clock.wall() % REPORT_MS, () => {
      if (server.heard.size === 0) return
      if (server.lag === 'cut' || this.isAway) return this.#reportLater(server)
      for (const session of server.heard) this.#touch(session)
      server.heard.clear()
    })
  }

  #touch (session: Session): void {
    // Expiry is rounded up to a tick of the leader, which starts when the leader does.
    session.expiresAt = this.#clock.wall() + session.timeout + Math.floor(Math.random() * TICK_MS)
  }

  #awaitExpiry (session: Session): void {
    this.#clock.after(session.expiresAt - this.#clock.wall(), () => {
      if (session.isOver) return
      if (this.isAway) session.expiresAt = this.#clock.wall() + session.timeout
      if (session.expiresAt > this.#clock.wall()) this.#awaitExpiry(session)
      else this.end(session)
    })
  }

  end (session: Session): void {
    if (session.isOver) return
    session.isOver = true
    const ops = this.leader.tree.ownedBy(session.id).map((path) => ({ type: 'remove' as const, path }))
    this.commit(ops, '', session)
  }

  commit (ops: ZooKeeperOp[], owner: string, ends?: Session): MultiFailure | undefined {
    const { tree } = this.leader
    const at = this.#clock.wall()
    const zxid = this.#log.length + 1
    const changes: Change[] = []
    for (const [index, op] of ops.entries()) {
      const name = tree.refusal(op)
      if (name !== undefined) {
        tree.undo(changes)
        return { index, name }
      }
      changes.push(...tree.apply(op, owner, zxid, at))
    }
    tree.undo(changes)
    this.#log.push({ ops, owner, at, ends })
    this.moment = Math.max(at, this.moment + LEAST_MS)
    this.catchUp(this.leader)
    this.onCommit(changes)
    return undefined
  }

  isBehind (server: Server): boolean {
    return server.applied < this.#log.length
  }

  applyNext (server: Server): void {
    const transaction = this.#log[server.applied]
    if (transaction === undefined) return
    const { ops, owner, at, ends } = transaction
    const zxid = ++server.applied
    const changes = ops.flatMap((op) => server.tree.apply(op, owner, zxid, at))
    this.#events.applied(server, changes, ends)
  }

  catchUp (server: Server, zxid = this.#log.length): void {
    while (server.applied < zxid) this.applyNext(server)
  }

  /** Makes another server the leader: all sessions get their full time, and all clients have to reconnect. */
  elect (): void {
    const up = this.servers.filter(({ isDown }) => !isDown)
    const { name } = up[Math.floor(Math.random() * up.length)] ?? this.leader
    for (const server of up) this.#restart(server)
    this.#leader = name
    for (const session of this.#sessions.values()) this.#touch(session)
  }

  #restart (server: Server): void {
    server.lag = 'none'
    server.heard.clear()
    this.catchUp(server)
    this.#events.closes(server)
  }

  setDown (server: Server): void {
    server.isDown = true
    server.lag = 'none'
    server.heard.clear()
    this.#events.closes(server)
    if (server === this.leader) this.elect()
  }

  setUp (server: Server): void {
    server.isDown = false
    this.catchUp(server)
  }

  setLag (server: Server, lag: Lag): void {
    server.lag = lag
    if (lag === 'none') return
    this.#clock.after(SYNC_MS, () => { if (server.lag === lag) this.#restart(server) })
  }
}
