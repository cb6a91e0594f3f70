import type { Ensemble, Server, Session } from './sim-ensemble.js'
import type { Clock } from '../../../lib/common/clock.js'
import type { Change } from './sim-tree.js'
import type { Host } from './fixture.js'

const LATENCY_MS = 30
/** Share of messages that take any time at all. */
const SLOW_SHARE = 0.1

interface Request {
  due: number
  /** True if a server can answer without the leader. */
  isLocal: boolean
  /** True if only the sender is affected. */
  isIdle: boolean
  run (server: Server): void
}

interface Answer {
  due: number
  run (): void
}

/** Connection of a client to a server. Messages arrive in order, or not at all. */
export interface Connection {
  readonly host: Host
  readonly server: Server
  session: Session | undefined
  readonly requests: Request[]
  readonly answers: Answer[]
  /** True if requests wait until the late ones have arrived. */
  areRequestsHeld: boolean
  areAnswersHeld: boolean
  isOpen: boolean
  readonly dataWatches: Set<string>
  readonly childWatches: Set<string>
  onEvent (kind: 'data' | 'children', path: string): void
  onEnd (why: string): void
}

export type Handlers = Pick<Connection, 'onEvent' | 'onEnd'>

/** Messages between clients and servers; chance decides the order of arrival. */
export class Network {
  readonly #connections = new Set<Connection>()
  readonly #clock: Clock
  readonly #ensemble: Ensemble

  constructor (clock: Clock, ensemble: Ensemble) {
    this.#clock = clock
    this.#ensemble = ensemble
  }

  get late (): number {
    let late = 0
    for (const connection of this.#connections) {
      const { requests, answers, isOpen, areRequestsHeld, areAnswersHeld } = connection
      const isStuck = !isOpen || !this.#isThrough(connection)
      if (isStuck || areRequestsHeld) late += requests.length
      if (isStuck || areAnswersHeld) late += answers.length
    }
    return late
  }

  land (): void {
    for (const connection of this.#connections) connection.areRequestsHeld = connection.areAnswersHeld = false
  }

  connect (host: Host, server: Server, handlers: Handlers): Connection {
    const connection: Connection = {
      ...handlers,
      host: { ...host },
      server,
      session: undefined,
      requests: [],
      answers: [],
      areRequestsHeld: false,
      areAnswersHeld: false,
      isOpen: true,
      dataWatches: new Set(),
      childWatches: new Set()
    }
    this.#connections.add(connection)
    return connection
  }

  request (connection: Connection, request: Omit<Request, 'due'>): void {
    const { link } = connection.host
    // A writing step begins with a read, so its write is delayed as well.
    const fate = request.isIdle && Math.random() < 0.7 ? undefined : link.next
    if (fate !== undefined) link.next = undefined
    if (fate === 'late') connection.areRequestsHeld = true
    if (fate === 'answered late') connection.areAnswersHeld = true
    connection.requests.push({ due: this.#due(), ...request })
  }

  answer (connection: Connection, run: () => void): void {
    connection.answers.push({ due: this.#due(), run })
  }

  #due (): number {
    if (Math.random() >= SLOW_SHARE) return 0
    const ms = 1 + Math.floor(Math.random() * LATENCY_MS)
    // An empty timer makes the time stop there.
    this.#clock.after(ms, () => {})
    return this.#clock.monotonic() + ms
  }

  /** Ends the client's side. Sent messages may still arrive. */
  end (connection: Connection, why: string): void {
    if (!connection.isOpen) return
    connection.isOpen = false
    connection.answers.length = 0
    const { requests } = connection
    const arriving = Math.random() < 0.5 ? [] : requests.filter(({ isIdle }) => !isIdle)
    requests.splice(0, requests.length, ...arriving)
    connection.onEnd(why)
  }

  /** Ends the server's side. */
  close (connection: Connection): void {
    connection.dataWatches.clear()
    connection.childWatches.clear()
    this.answer(connection, () => this.end(connection, 'closed by the server'))
  }

  closeAll (server: Server): void {
    for (const connection of this.#connections) if (connection.server === server) this.close(connection)
  }

  /** Finds the connections whose watches fire, and whose sessions end, with a change. */
  tell (server: Server, changes: Change[], ended: Session | undefined): void {
    for (const connection of this.#connections) {
      if (connection.server !== server) continue
      for (const { path, before, after } of changes) {
        const isData = before?.data !== after?.data || before?.version !== after?.version
        const isChildren = before?.children !== after?.children && before !== undefined
        if (isData && connection.dataWatches.delete(path)) this.answer(connection, () => connection.onEvent('data', path))
        if (isChildren && connection.childWatches.delete(path)) {
          this.answer(connection, () => connection.onEvent('children', path))
        }
      }
      if (ended !== undefined && connection.session === ended) this.close(connection)
    }
  }

  #isThrough ({ host: { link } }: Connection): boolean {
    return !link.isCut && !this.#ensemble.isAway
  }

  #isRefused (connection: Connection): boolean {
    if (!connection.isOpen || connection.host.process.isPaused) return false
    const isCutOff = connection.server.isDown || !this.#isThrough(connection)
    return isCutOff && (connection.server.isDown || connection.host.link.cutMode === 'refuse')
  }

  /** Delivers one message. @returns true if there was one */
  deliver (): boolean {
    const steps: Array<() => void> = []
    for (const connection of this.#connections) {
      if (this.#isRefused(connection)) this.end(connection, 'refused')
      this.#addSteps(connection, steps)
    }
    for (const server of this.#ensemble.servers) {
      if (server.lag !== 'none' || server.isDown || this.#ensemble.isAway || !this.#ensemble.isBehind(server)) continue
      steps.push(() => this.#ensemble.applyNext(server))
    }
    const step = steps[Math.floor(Math.random() * steps.length)]
    step?.()
    return step !== undefined
  }

  #addSteps (connection: Connection, steps: Array<() => void>): void {
    const { host: { process }, server, requests, answers, isOpen } = connection
    if (process.isDead) answers.length = 0
    if (server.isDown) requests.length = 0
    if ((process.isDead || !isOpen) && requests.length === 0) this.#connections.delete(connection)
    if ((requests.length === 0 && answers.length === 0) || !this.#isThrough(connection)) return
    const now = this.#clock.monotonic()
    const [request] = requests
    const isAnswerable = request !== undefined && (request.isLocal || this.#ensemble.reaches(server))
    if (isAnswerable && request.due <= now && !connection.areRequestsHeld) {
      steps.push(() => {
        requests.shift()
        if (connection.session !== undefined) this.#ensemble.hears(connection.session, server)
        request.run(server)
      })
    }
    const [answer] = answers
    if (answer !== undefined && answer.due <= now && !connection.areAnswersHeld && !process.isPaused) {
      steps.push(() => {
        answers.shift()
        answer.run()
      })
    }
  }
}
