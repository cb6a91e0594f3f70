import { createConnectionInfo } from '../../lib/connection-info.js'
import { createKnownRooms } from '../../lib/known-rooms.js'
import { createNode } from '../../lib/node/node.js'
import { Judge } from './judge.js'
import type { Dependency } from '../../lib/dependency.js'
import type { Subject } from '../../lib/signature.js'
import type { CobrowseNode, Seat, SeatEnd } from '../../types/node.js'
import type { Provision } from '../../types/provision.js'
import type { Membership, Registry, RoomKey } from '../../types/registry.js'
import type { Role, SignatureClaims } from '../../types/signature.js'
import type { Act } from './commands.js'
import type { Process, Timeline } from './timeline.js'

const ROLES: Role[] = ['recorder', 'replayer']
const BUDGET_MS = 1500

export interface Link {
  isCut: boolean
  /** Messages into a cut are refused at once, or arrive when it heals, as from a client that sends them again. */
  cutMode: 'refuse' | 'wait'
  /** What happens to the next message: it arrives late, or its answer does. */
  next?: 'late' | 'answered late' | undefined
}

export interface Host {
  process: Process
  link: Link
}

export interface Gateway extends Host {
  registry: Registry
  ask (client: Client): Promise<string>
}

export interface Relay extends Host {
  id: string
  node?: CobrowseNode | undefined
  membership?: Membership | undefined
  isStarting: boolean
  /** Something of its own, rather than of the store, kept it from the store since all was well last. */
  isAtFault: boolean
}

export interface Signature {
  subject: Subject
  issuedAt: number
  expiresAt: number
  id: string
}

export interface Client {
  key: RoomKey
  role: Role
  state: 'away' | 'must ask' | 'has signature' | 'inside'
  /** Whatever comes of an earlier attempt means nothing any more. */
  attempt: number
  token?: string
  seat?: Seat
  relay?: Relay
}

export interface WorldSize {
  nodes: number
  gateways: number
  rooms: number
}

/** Milliseconds, but for the two that are whole seconds as in a signature. */
export interface Times {
  lease: number
  heartbeat: number
  ttl: number
  skew: number
  patience: number
  /** By how much clocks are wrong that a node judges signatures by. */
  clockError: number
}

/** The defaults of the project. */
export const DEFAULT_TIMES: Times = { lease: 6000, heartbeat: 2000, ttl: 15, skew: 5, patience: 2000, clockError: 0 }

/** What all registries of a world ask, and a network that can lose what is said to it. */
export interface Store {
  /** Nobody reaches it; its clock goes on. */
  isAway: boolean
  /** How much is still on its way. */
  readonly late: number
  /** Begins as one that settled long ago. */
  prepare (): Promise<void>
  /** What was late arrives. */
  land (): void
  /** Undoes all faults of its own. */
  heal (): void
}

/** The time and the store that a world runs on. */
export interface Stage {
  times: Times
  timeline: Pick<Timeline, 'now' | 'clockOf' | 'flush' | 'advance' | 'afterEach'>
  store: Store
  createRegistry (host: Host): Registry
  /** What can happen to this store only, or in another way than to others; by name. */
  faults: Record<string, Act>
  /** Tells the judge what the store did. */
  witness (judge: Judge): void
  /** When the store had taken the decision, at the latest, that is signed now. */
  decidedAt (subject: Subject): number
}

const direct: Dependency = {
  ask: async (_call, work) => await work(new AbortController().signal),
  close () {}
}

const provision: Provision = {
  start () {},
  status: () => ({ state: 'up', since: 0 }),
  close: async () => {},
  externalUrl: async () => null
}

/** Gateways, relay nodes and clients on one store: the code of the project, on a time and a network of our own. */
export class World {
  readonly times: Times
  readonly timeline: Stage['timeline']
  readonly store: Store
  readonly judge = new Judge(this)
  readonly gateways: Gateway[]
  readonly relays: Relay[]
  readonly clients: Client[]
  readonly rooms: RoomKey[]
  readonly signatures = new Map<string, Signature>()

  readonly faults: Stage['faults']
  readonly decidedAt: Stage['decidedAt']
  readonly #createRegistry: Stage['createRegistry']

  constructor ({ nodes, gateways, rooms }: WorldSize, stage: Stage) {
    const { times, timeline, store } = stage
    this.times = times
    this.timeline = timeline
    this.store = store
    this.faults = stage.faults
    this.decidedAt = stage.decidedAt
    this.#createRegistry = stage.createRegistry
    this.rooms = Array.from({ length: rooms }, (_value, at) => ({ tenant: 't', room: `r${at}` }))
    this.clients = this.rooms.flatMap((key) => ROLES.map((role) => ({ key, role, state: 'away' as const, attempt: 0 })))
    this.gateways = Array.from({ length: gateways }, (_value, at) => this.#createGateway(`gateway ${at}`))
    this.relays = Array.from({ length: nodes }, (_value, at) => ({
      ...newHost(`node ${at}`), id: `n${at}`, isStarting: false, isAtFault: false
    }))
    stage.witness(this.judge)
    this.timeline.afterEach = () => this.judge.look()
  }

  async start (): Promise<void> {
    await this.store.prepare()
    for (const relay of this.relays) this.startRelay(relay)
    await this.timeline.flush()
  }

  stop (): void {
    for (const { process } of [...this.gateways, ...this.relays]) process.isDead = true
  }

  #createGateway (name: string): Gateway {
    const host = newHost(name)
    const clock = this.timeline.clockOf(host.process)
    const registry = this.#createRegistry(host)
    const knownRooms = createKnownRooms({
      joinOnlyFor: 600, nodes: registry.nodes, viewAgeMs: () => registry.status().viewAgeMs, now: clock.monotonic
    })
    const connectionInfo = createConnectionInfo({
      registry,
      provision,
      registryCalls: direct,
      provisionCalls: direct,
      addressFault: () => undefined,
      knownRooms,
      mayJoinOnly: true,
      issue: (subject) => this.#issue(subject),
      onJoinOnly () {}
    })
    return {
      ...host,
      registry,
      ask: async ({ key, role }) => {
        const endsAt = this.timeline.now + BUDGET_MS
        const budget = {
          signal: new AbortController().signal,
          isSpent: () => this.timeline.now > endsAt,
          bodyArrived () {},
          isSpentOnBody: () => false,
          cancel () {},
          end () {}
        }
        const session = { tenantId: key.tenant, channelId: 'c', userId: role }
        const { signature } = await connectionInfo(
          session, { roomId: key.room, userId: role, userName: role, role }, { budget, timings: {} }
        )
        return signature
      }
    }
  }

  #issue (subject: Subject): string {
    const token = `signature ${this.signatures.size}`
    const issuedAt = Math.floor(subject.issuedAt / 1000)
    const signature = { subject, issuedAt, expiresAt: issuedAt + this.times.ttl, id: token }
    this.signatures.set(token, signature)
    this.judge.issued(signature)
    return token
  }

  #verify (token: string, node: { id: string, incarnation: string }, now: number): SignatureClaims {
    const { subject, issuedAt, expiresAt, id } = this.#signature(token)
    const { tenant, room, user, name, role, node: named, joinOnly = false } = subject
    const isForNode = named.id === node.id && (joinOnly || named.incarnation === node.incarnation)
    const { skew } = this.times
    if (!isForNode || now / 1000 >= expiresAt + skew || issuedAt > now / 1000 + skew) throw new Error('bad signature')
    const incarnation = joinOnly ? null : named.incarnation
    return { tenant, room, user, name, role, node: named.id, incarnation, issuedAt, expiresAt, id, joinOnly }
  }

  #signature (token: string): Signature {
    const signature = this.signatures.get(token)
    if (signature === undefined) throw new Error('unknown signature')
    return signature
  }

  startRelay (relay: Relay): void {
    if (relay.isStarting || relay.node !== undefined) return
    const { process } = relay
    const clock = this.timeline.clockOf(process)
    const registry = this.#createRegistry(relay)
    const settings = {
      record: { id: relay.id, wssUrl: `wss://${relay.id}/` },
      signing: { skew: this.times.skew },
      allowedOrigins: undefined,
      maxSeats: 100,
      seatsPerRoom: 10,
      patience: this.times.patience,
      suspendFor: 600_000
    }
    relay.isStarting = true
    createNode(settings, {
      clock,
      verify: async (token, { node, now }) => this.#verify(token, node, now),
      join: async (record) => {
        const membership = await registry.join(record)
        if (relay.process === process) relay.membership = membership
        return membership
      }
    }).then((node) => {
      if (relay.process !== process) return
      relay.isStarting = false
      relay.node = node
    }, () => {
      if (relay.process !== process) return
      relay.isStarting = false
      // Its supervisor starts it again.
      clock.after(1000, () => this.startRelay(relay))
    })
  }

  /** SIGKILL: its clients see their sockets close. */
  crash (relay: Relay): void {
    relay.process.isDead = true
    relay.process = { ...newHost(relay.process.name).process, wallOffset: relay.process.wallOffset }
    relay.node = relay.membership = undefined
    relay.isStarting = false
    for (const client of this.clients) if (client.relay === relay) this.#sendAway(client)
  }

  ask (client: Client, gateway: Gateway): void {
    if (client.state !== 'must ask' || gateway.process.isPaused) return
    const attempt = ++client.attempt
    gateway.ask(client).then((token) => {
      if (client.attempt !== attempt) return
      client.token = token
      client.state = 'has signature'
    }, () => {})
  }

  show (client: Client): void {
    const { token } = client
    if (client.state !== 'has signature' || token === undefined) return
    const signature = this.#signature(token)
    const relay = this.relays.find(({ id }) => id === signature.subject.node.id)
    if (relay?.node === undefined || relay.process.isPaused) return this.#sendAway(client)
    const attempt = ++client.attempt
    relay.node.admit(token).then((seat) => {
      this.judge.admitted(relay, signature)
      if (client.attempt !== attempt) return seat.leave()
      Object.assign(client, { state: 'inside', seat, relay })
      seat.ended.then((end) => this.#onEnded(client, seat, end))
    }, () => {
      if (client.attempt === attempt) this.#sendAway(client)
    })
  }

  #onEnded (client: Client, seat: Seat, end: SeatEnd): void {
    if (client.seat !== seat || client.relay === undefined) return
    this.judge.ended(client, client.relay, end)
    this.#sendAway(client)
  }

  #sendAway (client: Client): void {
    client.attempt++
    client.state = 'must ask'
    delete client.seat
    delete client.relay
  }

  /** @param next what the client does then: nothing, or ask again as a page does that was reloaded */
  leave (client: Client, next: 'away' | 'must ask'): void {
    client.seat?.leave()
    this.#sendAway(client)
    client.state = next
  }

  release (key: RoomKey, gateway: Gateway): void {
    if (!gateway.process.isPaused) gateway.registry.release?.(key).catch(() => {})
  }

  /** Whether both clients of the room sit on one node. */
  nodeOf (key: RoomKey): Relay | undefined {
    const [first, second] = this.clients.filter((client) => client.key === key)
    return first?.relay === second?.relay ? first?.relay : undefined
  }
}

function newHost (name: string): Host {
  return {
    process: { name, isPaused: false, isDead: false, wallOffset: 0 },
    link: { isCut: false, cutMode: 'refuse' }
  }
}
