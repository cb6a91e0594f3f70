import type { CloseCode } from './close-code.js'
import type { NodeOrder } from './operations.js'
import type { MetricsRegistry } from './options.js'
import type { Registry, RoomKey } from './registry.js'
import type { Role } from './role.js'
import type { SigningOptions } from './signature.js'

export type { CloseCode }

export interface NodeOptions {
  /** The registry that the gateways use. It stays yours: close it after the node. */
  registry: Registry
  /**
   * 1–64 of `A-Z a-z 0-9 . _ : -`, one process per id. A process that registers the id of a dead one replaces it at
   * once.
   * @default a random one
   */
  id?: string | undefined
  /** This node's own address, in the form a URL parser prints it: `wss://10.1.2.3:8443/ws/cobrowse/1`. */
  wssUrl: string
  /** External address of this node. Takes precedence over the answer of CC-Provision. */
  wssUrlOut?: string | undefined
  /** Share of new rooms, relative to the others. */
  weight?: number | undefined
  zone?: string | undefined
  /** Version of the node's program, for the choice of a node. */
  version?: string | undefined
  /** At most 16, for the choice of a node. */
  labels?: Readonly<Record<string, string>> | undefined
  /** Rooms it can hold. A full node gets no new rooms. */
  capacity?: number | undefined
  /** Keys and times, the same as on the gateways. */
  signing: SigningOptions
  /** Origins of the web pages that may connect. Left out: any, since every client needs a signature. */
  allowedOrigins?: readonly string[] | undefined
  /**
   * Clients on this node; one more is rejected with 4429.
   * @default 10000
   */
  maxSeats?: number | undefined
  /**
   * Clients in one room; one more is rejected with 4429.
   * @default 32
   */
  seatsPerRoom?: number | undefined
  /**
   * Milliseconds that a client waits for the other side behind a shut door, before 4410 tells it to ask again.
   * @default 2000
   */
  patience?: number | undefined
  /**
   * Milliseconds that a room stays open behind a shut door.
   * @default 600000
   */
  suspendFor?: number | undefined
  /** A prom-client registry for the metrics of this node. */
  metrics?: MetricsRegistry | undefined
}

export interface AdmitOptions {
  /** The `Origin` header of the handshake. */
  origin?: string | undefined
}

/** Code and reason to close the WebSocket of an ended seat with. */
export interface SeatEnd {
  code: CloseCode
  reason: string
}

/** One client in a room. */
export interface Seat extends RoomKey {
  readonly user: string
  readonly name: string
  readonly role: Role
  /** Resolves when the node has to disconnect the client; never after `leave`. */
  readonly ended: Promise<SeatEnd>
  /** Gives the seat up, since the client left. Idempotent. */
  leave (): void
}

export interface NodeEvents {
  /** The first client was admitted. */
  opened: (room: RoomKey) => void
  /** The last client left, or all were disconnected. */
  closed: (room: RoomKey) => void
  /** The registry is unreachable: doors are shut, admitted clients stay connected. */
  lapsed: () => void
  resumed: () => void
  /** An operator gave an order for this node, or took it back. The node follows it by itself. */
  ordered: (order: NodeOrder | undefined) => void
  /** Another process took this node's id. All clients were disconnected, and no client is admitted any more. */
  replaced: () => void
}

export interface DrainOptions {
  /**
   * Milliseconds after which the remaining clients are told to ask again; 0 at once.
   * @default 600000
   */
  deadline?: number | undefined
  /**
   * Milliseconds over which clients that are left at the deadline are to spread their return, so that a full node does
   * not send all of them to the gateway at once. Part of the close reason: `… within 2000 ms`.
   * @default 0
   */
  returnWithin?: number | undefined
}

export interface NodeStatus {
  id: string
  incarnation: string
  /**
   * `serving` · `lapsed` the registry is unreachable · `cordoned` by an order · `draining` · `drained` left the
   * registry · `replaced` · `closed`
   */
  state: 'serving' | 'lapsed' | 'cordoned' | 'draining' | 'drained' | 'replaced' | 'closed'
  /** The order of an operator. */
  order?: NodeOrder
  /** Open rooms. Behind a shut door a room stays open after the last client left. */
  rooms: number
  seats: number
}

/** The part of a relay node that deals with registry and signatures. Sockets and messages are yours. */
export interface CobrowseNode {
  readonly id: string
  readonly incarnation: string
  /**
   * Admits a client.
   *
   * @throws `AdmissionError` with the close code to reject the client with; `cause` gives the reason, for the log
   */
  admit (signature: string, options?: AdmitOptions): Promise<Seat>
  /** Whether normal signatures are accepted now. */
  valid (): boolean
  status (): NodeStatus
  /**
   * Takes no new rooms any more. Resolves with `true` once the last client is gone and the node has left the registry,
   * with `false` if `undrain` came first. The deadline of a further call replaces the old one.
   */
  drain (options?: DrainOptions): Promise<boolean>
  /** Takes new rooms again; a node that had left registers again. */
  undrain (): Promise<void>
  /** Leaves the registry, then disconnects all clients. Idempotent. */
  close (): Promise<void>
  /** @returns unsubscribes */
  on<E extends keyof NodeEvents> (event: E, listener: NodeEvents[E]): () => void
}
