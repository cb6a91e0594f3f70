import type { CloseCode } from './close-code.js'
import type { Role } from './role.js'

/** Code of an error answer of the gateway, as the README lists it. */
export type RetCode =
  | '40001' | '40101' | '40102' | '40301' | '40302' | '40801' | '41301' | '41501' | '42901' | '50001'
  | '50301' | '50302' | '50303' | '50304' | '50305' | '50306' | '50307' | '50308'

/** The cause of a missing connection: a code of the gateway, a close code of the node, or one of these. */
export type CobrowseErrorCode = RetCode | CloseCode
  /** The gateway does not answer, or not in time. */
  | 'unreachable'
  /** Something other than the gateway answered, such as a balancer, or this helper does not know the answer. */
  | 'bad-answer'
  /** The node's WebSocket cannot be opened, not in time, or not from this page: its policy may forbid the address. */
  | 'unopened'
  /**
   * The WebSocket was open and dropped without a code of the node, was silent for `idleTimeout`, or was closed because
   * the browser keeps the page in its back/forward cache.
   */
  | 'lost'

/** The cause of a missing connection, or of a failed `endCall`. */
export interface CobrowseFailure extends Error {
  readonly code: CobrowseErrorCode
  /** Milliseconds that the gateway asks to wait (`Retry-After`). */
  readonly retryAfter?: number | undefined
  /** Milliseconds over which the node asks its clients to spread their return. */
  readonly returnWithin?: number | undefined
  /** Close code of the WebSocket: RFC 6455 section 7.4. */
  readonly closeCode?: number | undefined
  /** HTTP status of the answer, if there was one. */
  readonly status?: number | undefined
}

/**
 * `asking` the gateway · `opening` the WebSocket · `open` · `waiting` before the next attempt · `closed` for good.
 */
export type ConnectionState = 'asking' | 'opening' | 'open' | 'waiting' | 'closed'

export type Message = string | ArrayBuffer

export type OutgoingMessage = string | ArrayBuffer | ArrayBufferView<ArrayBuffer>

/** The part of a WebSocket that the helper uses: the browser's own, or that of `ws`. */
export interface ClientSocket {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send (data: OutgoingMessage): void
  close (code?: number, reason?: string): void
  addEventListener (type: 'open' | 'error', listener: () => void): void
  addEventListener (type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener (type: 'close', listener: (event: { code: number, reason: string }) => void): void
}

export interface ConnectOptions {
  /**
   * Origin of the gateway, with its `prefix` if it has one: `https://gateway.example`. Required outside of a page.
   * @default the page's own origin
   */
  baseUrl?: string | undefined
  /**
   * Path of the route that returns the node of a room.
   * @default '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo'
   */
  path?: string | undefined
  /**
   * Path of the route that ends a call.
   * @default '/service-cloud/rest/webadapter/v1/connectionInfo/releaseConnection'
   */
  releasePath?: string | undefined
  roomId: string
  userId: string
  /** Shown to the other side. */
  userName: string
  /** `recorder`, whose page is captured, or `replayer`. */
  role: Role
  /**
   * The `ccmessaging-token`, or a function that returns it, called before every request; `isRefused` is `true` if the
   * previous token was answered 401. Left out, the browser sends its cookie.
   */
  token?: string | ((isRefused: boolean) => string | Promise<string>) | undefined
  /**
   * The address that is tried first. If it cannot be opened, the other one is tried once before the wait.
   * @default 'wssUrlOut'
   */
  address?: 'wssUrl' | 'wssUrlOut' | undefined
  /** Receives every message; a binary one as an ArrayBuffer. */
  onMessage?: ((message: Message) => void) | undefined
  /** Closes the connection for good. */
  signal?: AbortSignal | undefined
  /**
   * Milliseconds for an answer of the gateway, and again for opening the WebSocket.
   * @default 5000
   */
  timeout?: number | undefined
  /**
   * Milliseconds of the first wait between two attempts; each further one is twice as long.
   * @default 250
   */
  minWait?: number | undefined
  /**
   * Longest wait between two attempts, in milliseconds.
   * @default 10000
   */
  maxWait?: number | undefined
  /**
   * Milliseconds without a message after which the connection is considered dead. Browsers notice a dead network late,
   * so have your node send something more often than this. 0 disables the check.
   * @default 0
   */
  idleTimeout?: number | undefined
  /** @default the platform's; Node.js before 22 has none: pass that of `ws` */
  WebSocket?: (new (url: string, protocols: string[]) => ClientSocket) | undefined
}

export interface ConnectionEvents {
  state: (state: ConnectionState) => void
  /** The WebSocket is open. The node may still reject the client. */
  open: (details: { url: string }) => void
  /** The same messages as `onMessage`. */
  message: (message: Message) => void
  /** An attempt ended; the next one begins in `wait` milliseconds. */
  retry: (details: { error: CobrowseFailure, wait: number }) => void
  /** Closed for good: with an error that no retry can fix, or without one after `close`, `endCall` or an abort. */
  close: (error?: CobrowseFailure) => void
}

export interface TrafficCount {
  messages: number
  /** A text counts as its UTF-8. */
  bytes: number
}

/** The connection at one moment, for a dashboard. */
export interface ConnectionStats {
  state: ConnectionState
  /** When the state began, in milliseconds since 1970. */
  since: number
  /** Address of the node, once a WebSocket was open. While it is not, that of the last one. */
  url: string | undefined
  /** Times that a WebSocket was opened after the first one. */
  reconnects: number
  sent: TrafficCount
  received: TrafficCount
  /** Why the last attempt ended. */
  lastError: CobrowseFailure | undefined
}

export interface EndCallOptions {
  /** Gives up. The gateway may end the call nevertheless. */
  signal?: AbortSignal | undefined
}

/** A client's connection to its room. Reconnects after failures of nodes, network and gateway. */
export interface Connection {
  readonly state: ConnectionState
  /** Bytes that wait to be sent: stop sending while they grow. 0 unless open. */
  readonly bufferedAmount: number
  /** Resolves once the connection is closed for good, with the error of the event `close`; never rejects. */
  readonly closed: Promise<CobrowseFailure | undefined>
  /** @returns `false` unless open: nothing is kept for later, since the room may be another one by then */
  send (data: OutgoingMessage): boolean
  stats (): ConnectionStats
  /**
   * Leaves the node, or the wait, and asks the gateway again at once; a request that is under way is left alone. Does
   * nothing once closed.
   */
  reconnect (): void
  /** Leaves the room. Idempotent. */
  close (): void
  /**
   * Ends the call for both sides, and leaves the room.
   *
   * @throws `CobrowseError` if the gateway refuses or cannot be reached, or the signal aborts; the connection then
   * stays open
   */
  endCall (options?: EndCallOptions): Promise<void>
  /**
   * Adds a listener. An exception of a listener is reported as an uncaught error, and affects nothing else.
   *
   * @returns unsubscribes
   */
  on<E extends keyof ConnectionEvents> (event: E, listener: ConnectionEvents[E]): () => void
}
