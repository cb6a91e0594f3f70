import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyBaseLogger } from 'fastify'
import type { DrainOptions, NodeOptions, NodeStatus, Seat } from './node.js'
import type { RoomKey } from './registry.js'
import type { Role } from './role.js'

export interface RelayOptions extends NodeOptions {
  /** 1–64 of `A-Z a-z 0-9 . _ : -`, one process per id. */
  id: string
  /**
   * Path of the WebSocket on this server. Several relay nodes of one server differ in it.
   * @default the path of `wssUrl`
   */
  path?: string | undefined
  /**
   * Whether a further recorder of the same user takes the place of the one that is seen, as when the customer opens the
   * page in a second tab. Otherwise it is a standby until the first one leaves, so that a stolen token cannot replace
   * the picture.
   * @default false
   */
  takeover?: boolean | undefined
  /**
   * Whether a client only observes: its messages are dropped. Called once for each replayer that is admitted.
   * @default no client
   */
  isObserver?: ((seat: Seat) => boolean) | undefined
  /**
   * Largest message of a recorder, in bytes; a larger one ends its connection with 1009.
   * @default 4194304
   */
  maxMessageBytes?: number | undefined
  /**
   * Largest message of a replayer, in bytes; a larger one ends its connection with 1009.
   * @default 65536
   */
  maxReplayerMessageBytes?: number | undefined
  /**
   * Messages that a client may send, as an average of some seconds. A faster client is read more slowly.
   * @default 500
   */
  messagesPerSecond?: number | undefined
  /**
   * Bytes that a client may send, as an average of some seconds. A faster client is read more slowly.
   * @default 8388608
   */
  bytesPerSecond?: number | undefined
  /**
   * Bytes that may wait for one client that reads too slowly. A slower one is disconnected, and asks again.
   * @default 50331648
   */
  maxBufferedBytes?: number | undefined
  /**
   * Bytes that may wait for all clients together. Beyond, those with most are disconnected first.
   * @default 268435456
   */
  maxTotalBufferedBytes?: number | undefined
  /**
   * Milliseconds between two signs of life to each client. One that neither answers nor sends anything is disconnected
   * after at most two intervals, and after the time that a network of 1 Mbit/s needs for what it was sent before. Set
   * `idleTimeout` of the client helper to more than twice as long.
   * @default 5000
   */
  pingInterval?: number | undefined
  /**
   * How the clients leave when the application closes.
   * @default { deadline: 0, returnWithin: 2000 }
   */
  drain?: DrainOptions | undefined
}

/** Options of `startRelay`, outside of Fastify. */
export interface StartRelayOptions extends Omit<RelayOptions, 'path' | 'drain'> {
  /** @default no log */
  log?: RelayLog | undefined
}

/** The part of a logger such as pino that a relay node uses. */
export type RelayLog = Pick<FastifyBaseLogger, 'debug' | 'info' | 'warn'>

/** One client of a room, as the other clients are told. */
export interface RelayMember {
  /** Unique on this node, and never used for another client. */
  id: number
  user: string
  name: string
  role: Role
}

export interface RelayRoom extends RoomKey {
  /** Id of the recorder that is seen. */
  recorder: number | null
  /** In the order of their arrival. */
  members: RelayMember[]
}

export interface RelayStatus extends Omit<NodeStatus, 'rooms'> {
  rooms: RelayRoom[]
  /** WebSockets, those that are not admitted yet included. */
  connections: number
  /** Bytes that wait for clients that read slowly. */
  bufferedBytes: number
}

/** A relay node that runs. */
export interface Relay {
  readonly id: string
  status (): RelayStatus
  /** Takes over a WebSocket handshake, as a listener of the event `upgrade` of a server. */
  upgrade (request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** As that of the kit: takes no new rooms, and disconnects all clients by the deadline. */
  drain (options?: DrainOptions): Promise<boolean>
  /** Takes new rooms again. */
  undrain (): Promise<void>
  /** Cuts every connection without notice, as the end of a process would. The registration stays. */
  cut (): void
  /** Leaves the registry, then disconnects all clients. Idempotent. */
  close (): Promise<void>
}
