import { Tree } from './sim-tree.js'
import type { MultiFailure, ZooKeeperOp } from '../../../lib/zookeeper-client/client.js'
import type { Clock } from '../../../lib/common/clock.js'
import type { Change } from './sim-tree.js'

const SERVERS = 3
const TICK_MS = 2000
/** Between two transactions. */
const LEAST_MS = 1e-6
/** A follower tells the leader who is alive. */
const REPORT_MS = TICK_MS / 2
/** A follower that hears nothing from its leader for so long serves nobody any more. */
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
  /** A session that ends with it. */
  ends?: Session | undefined
}

/** `slow` applies what the leader says later · `cut` hears and says nothing */
export type Lag = 'none' | 'slow' | 'cut'

export interface Server {
  readonly name: number
  readonly tree: Tree
  /** How many transactions. */
  applied: number
  lag: Lag
  isDown: boolean
  /** Sessions that it heard from, and did not tell the leader of yet. */
  readonly heard: Set<Session>
}

export interface EnsembleEvents {
  /** A server applied a transaction. */
  applied (server: Server, changes: Change[], ended: Session | undefined): void
  /** Its clients are cut off, with what they sent. */
  closes (server: Server): void
}

/** Three servers, of which one leads: its state is the truth, and that of the others what it once was. */
export class Ensemble {
  readonly servers: Server[]
  #leader = 0
  readonly #log: Transaction[] = []
  readonly #sessions = new Map<string, Session>()
  readonly #clock: Clock
  readonly #events: EnsembleEvents
  isAway = false
  /** When the latest transaction was, in milliseconds; no two are at the same moment. */
  moment = 0
  /** When that transaction was of which a client heard the answer last. */
  answered = 0
  /** Told of each transaction. */
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

  /** Whether what the leader has to do with can be done through this server. */
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

  /** A server heard from a client. */
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
    // Expiry is rounded up to a tick of the leader's, which begin whenever it was made leader.
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

  /** Another server leads: all sessions get their full time, and all clients have to connect anew. */
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
