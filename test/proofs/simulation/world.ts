import { createNode } from '../../../lib/node/node.js'
import { createGateway } from './gateway.js'
import { Judge } from './judge.js'
import { Signatures } from './signatures.js'
import type { CobrowseNode, Seat, SeatEnd } from '../../../types/node.js'
import type { Membership, RoomKey } from '../../../types/registry.js'
import type { NewNodeOrder, NewRoomMove, NodeOrder } from '../../../types/operations.js'
import type { Role } from '../../../types/role.js'
import type { Gateway } from './gateway.js'
import type { Fixture, Host, Store, Times } from './fixture.js'

const ROLES: Role[] = ['recorder', 'replayer']

export interface Relay extends Host {
  id: string
  node?: CobrowseNode | undefined
  membership?: Membership | undefined
  isStarting: boolean
  /** A fault of its own, rather than of the store, has kept it from the store since all was last healthy. */
  isAtFault: boolean
  /** Whether an operator gave an order for this node, and has not taken it back. */
  mayBeOrdered?: boolean
  /** Latest order of an operator to leave, until a later `undrain` is done. */
  leaving?: symbol | undefined
}

export interface Client {
  key: RoomKey
  role: Role
  state: 'away' | 'must ask' | 'has signature' | 'inside'
  /** Number of the current attempt; results of earlier attempts are ignored. */
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

/** Gateways, relay nodes and clients on one store: the project's code, with a simulated time and network. */
export class World {
  readonly times: Times
  readonly timeline: Fixture['timeline']
  readonly store: Store
  readonly judge = new Judge(this)
  readonly gateways: Gateway[]
  readonly relays: Relay[]
  readonly clients: Client[]
  readonly rooms: RoomKey[]
  readonly signatures: Signatures

  readonly faults: Fixture['faults']
  readonly decidedAt: Fixture['decidedAt']
  readonly #clientsOf: Map<RoomKey, Client[]>
  readonly #createRegistry: Fixture['createRegistry']

  constructor ({ nodes, gateways, rooms }: WorldSize, fixture: Fixture) {
    const { times, timeline, store } = fixture
    this.times = times
    this.timeline = timeline
    this.store = store
    this.faults = fixture.faults
    this.decidedAt = fixture.decidedAt
    this.#createRegistry = fixture.createRegistry
    this.signatures = new Signatures(times, (signature) => this.judge.issued(signature))
    this.rooms = Array.from({ length: rooms }, (_value, at) => ({ tenant: 't', room: `r${at}` }))
    this.#clientsOf = new Map(this.rooms.map((key) => [key, ROLES.map((role) => ({ key, role, state: 'away', attempt: 0 }))]))
    this.clients = [...this.#clientsOf.values()].flat()
    this.gateways = Array.from({ length: gateways }, (_value, at) => this.#createGateway(newHost(`gateway ${at}`)))
    this.relays = Array.from({ length: nodes }, (_value, at) => ({
      ...newHost(`node ${at}`), id: `n${at}`, isStarting: false, isAtFault: false
    }))
    fixture.reportTo(this.judge)
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

  #createGateway (host: Host): Gateway {
    return createGateway(host, {
      registry: this.#createRegistry(host),
      timeline: this.timeline,
      issue: (subject) => this.signatures.issue(subject)
    })
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
      verify: async (token, { node, now }) => this.signatures.verify(token, node, now),
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
      // The supervisor of the process starts it again.
      clock.after(1000, () => this.startRelay(relay))
    })
  }

  drain (relay: Relay): void {
    relay.leaving = Symbol('drain')
    relay.node?.drain({ deadline: this.times.lease / 2 }).catch(() => {})
  }

  undrain (relay: Relay): void {
    const { node, leaving } = relay
    node?.undrain().then(() => {
      // The operator may have drained the node again while the store was unreachable.
      if (relay.leaving === leaving) relay.leaving = undefined
    }, () => {})
  }

  /** An operator gives an order, or takes it back, by way of some process that has the registry. */
  order (relay: Relay, gateway: Gateway, kind: NodeOrder['kind'] | undefined): void {
    const deadline = this.times.lease / 2
    const order: NewNodeOrder = { kind: 'cordon', reason: 'simulated', author: 'operator' }
    relay.mayBeOrdered = true
    gateway.registry.operations?.setOrder(
      relay.id, kind === undefined ? null : kind === 'drain' ? { ...order, kind, deadline } : order
    ).then(() => { relay.mayBeOrdered = kind !== undefined }, () => {})
  }

  /** An operator moves a room away from its node, to a given one or to any. @returns false if the gateway is paused */
  move (key: RoomKey, gateway: Gateway, target?: Relay): boolean {
    if (gateway.process.isPaused) return false
    const move: NewRoomMove = { reason: 'simulated', author: 'operator', ...target && { to: target.id } }
    gateway.registry.operations?.move(key, move).catch(() => {})
    return true
  }

  /** Kills the node by SIGKILL: its clients see their sockets close. */
  crash (relay: Relay): void {
    relay.process.isDead = true
    relay.process = { ...newHost(relay.process.name).process, wallOffset: relay.process.wallOffset }
    relay.node = relay.membership = undefined
    relay.isStarting = false
    relay.leaving = undefined
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
    const signature = this.signatures.of(token)
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

  /** @param next next action of the client: none, or to ask again like a reloaded page */
  leave (client: Client, next: 'away' | 'must ask'): void {
    client.seat?.leave()
    this.#sendAway(client)
    client.state = next
  }

  endCall (key: RoomKey, gateway: Gateway): void {
    if (!gateway.process.isPaused) gateway.registry.end?.(key).catch(() => {})
  }

  /** True if both clients of the room sit on one node. */
  nodeOf (key: RoomKey): Relay | undefined {
    const [first, second] = this.#clientsOf.get(key) ?? []
    return first?.relay === second?.relay ? first?.relay : undefined
  }
}

function newHost (name: string): Host {
  return {
    process: { name, isPaused: false, isDead: false, wallOffset: 0 },
    link: { isCut: false, cutMode: 'refuse' }
  }
}
