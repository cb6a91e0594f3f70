import type { CloseCode } from './close-code.js'
import type { Registry, RoomKey } from './registry.js'
import type { Role, SigningOptions } from './signature.js'

export type { CloseCode }

export interface NodeOptions {
  /** The registry that the gateways use. It stays yours: close it after the node. */
  registry: Registry
  /**
   * 1–64 of `A-Z a-z 0-9 . _ : -`, one process per id. A process that comes back under the id of a dead one takes its
   * place at once.
   * @default a random one
   */
  id?: string | undefined
  /** This node's own address, in the form a URL parser prints it: `wss://10.1.2.3:8443/ws/cobrowse/1`. */
  wssUrl: string
  /** External address of this very node. Wins over what CC-Provision answers. */
  wssUrlOut?: string | undefined
  /** Share of new rooms, relative to the others. */
  weight?: number | undefined
  zone?: string | undefined
  /** Rooms it can hold. A full node gets no new rooms. */
  capacity?: number | undefined
  /** The same keys and times that the gateways have. */
  signing: SigningOptions
  /** Origins of the web pages that may connect. Left out: any, since a signature is needed anyway. */
  allowedOrigins?: readonly string[] | undefined
  /**
   * Clients on this node; one more is turned away with 4429.
   * @default 10000
   */
  maxSeats?: number | undefined
  /**
   * Clients in one room; one more is turned away with 4429.
   * @default 32
   */
  seatsPerRoom?: number | undefined
  /**
   * Milliseconds that a client waits for the other side behind a shut door, before it is told to ask again.
   * @default 2000
   */
  patience?: number | undefined
  /**
   * Milliseconds that a room stays open behind a shut door.
   * @default 600000
   */
  suspendFor?: number | undefined
}

export interface AdmitOptions {
  /** The `Origin` header of the handshake. */
  origin?: string | undefined
}

/** Why the kit ended a seat: close the WebSocket with it. */
export interface SeatEnd {
  code: CloseCode
  reason: string
}

/** One client in a room. */
export interface Seat extends RoomKey {
  readonly user: string
  readonly name: string
  readonly role: Role
  /** Resolves when the node has to send the client away; never after `leave`. */
  readonly ended: Promise<SeatEnd>
  /** The client went away. Idempotent. */
  leave (): void
}

export interface NodeEvents {
  /** The first client is in. */
  opened: (room: RoomKey) => void
  /** Nobody is inside any more, or all were sent away. */
  closed: (room: RoomKey) => void
  /** The registry is out of reach: doors are shut, those inside stay together. */
  lapsed: () => void
  resumed: () => void
  /** Another process took this node's id. All clients were sent away, and nobody is admitted any more. */
  replaced: () => void
}

export interface DrainOptions {
  /**
   * Milliseconds after which clients that are still inside are told to ask again; 0 at once.
   * @default 600000
   */
  deadline?: number | undefined
  /**
   * Milliseconds over which clients that are still inside at the deadline are to spread their return, so that a full
   * node does not send all of them to the gateway at once. Said in the reason of the close: `… within 2000 ms`.
   * @default 0
   */
  returnWithin?: number | undefined
}

export interface NodeStatus {
  id: string
  incarnation: string
  /**
   * `serving` · `lapsed` the registry is out of reach · `draining` · `drained` left the registry · `replaced` ·
   * `closed`
   */
  state: 'serving' | 'lapsed' | 'draining' | 'drained' | 'replaced' | 'closed'
  /** Open rooms. Behind a shut door a room stays open when everybody has left. */
  rooms: number
  seats: number
}

/** A relay node, as far as the registry and the signatures are concerned. Sockets and messages are yours. */
export interface CobrowseNode {
  readonly id: string
  readonly incarnation: string
  /**
   * Takes a client in.
   *
   * @throws `AdmissionError` with the close code to turn it away with; `cause` says why, for the log
   */
  admit (signature: string, options?: AdmitOptions): Promise<Seat>
  /** Whether normal signatures are accepted now. */
  valid (): boolean
  status (): NodeStatus
  /**
   * Gets no new rooms any more. Resolves with `true` when the last client is gone and the node has left the registry,
   * with `false` when `undrain` came first. Asked again, the new deadline replaces the old one.
   */
  drain (options?: DrainOptions): Promise<boolean>
  /** Takes new rooms again; a node that had left registers again. */
  undrain (): Promise<void>
  /** Leaves the registry, then sends everybody away. Idempotent. */
  close (): Promise<void>
  /** @returns unsubscribes */
  on<E extends keyof NodeEvents> (event: E, listener: NodeEvents[E]): () => void
}
