import type { CloseCode } from './close-code.js'
import type { Role } from './signature.js'

/** What the gateway says when it refuses, as the README lists it. */
export type RetCode =
  | '40001' | '40101' | '40102' | '40301' | '40302' | '40801' | '41301' | '41501' | '42901' | '50001'
  | '50301' | '50302' | '50303' | '50304' | '50305' | '50306' | '50307'

/** Why there is no connection: a code of the gateway, a close code of the node, or one of these. */
export type CobrowseErrorCode = RetCode | CloseCode
  /** The gateway does not answer, or not in time. */
  | 'unreachable'
  /** Something other than the gateway answered, such as a balancer, or the answer is none that this helper knows. */
  | 'bad-answer'
  /** The node's WebSocket cannot be opened, not in time, or not from this page: its policy may forbid the address. */
  | 'unopened'
  /**
   * The WebSocket was open and ended without a code of the node, fell silent for `idleTimeout`, or was closed since the
   * browser keeps the page in its back/forward cache.
   */
  | 'lost'

/** Why there is no connection, or why a call ended badly. */
export interface CobrowseFailure extends Error {
  readonly code: CobrowseErrorCode
  /** Milliseconds that the gateway asks to wait (`Retry-After`). */
  readonly retryAfter?: number | undefined
  /** Milliseconds over which the node asks its clients to spread their return. */
  readonly returnWithin?: number | undefined
  /** Of the WebSocket that ended: RFC 6455 section 7.4. */
  readonly closeCode?: number | undefined
  /** Of the answer, where there was one. */
  readonly status?: number | undefined
}

/**
 * `asking` the gateway · `opening` the WebSocket · `open` · `waiting` before it asks again · `closed` for good.
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
   * Origin of the gateway, with its `prefix` if it has one: `https://gateway.example`. Outside of a page it must be
   * given.
   * @default the page's own origin
   */
  baseUrl?: string | undefined
  /**
   * Of the route that says where a room is.
   * @default '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo'
   */
  path?: string | undefined
  /**
   * Of the route that ends a call.
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
   * The `ccmessaging-token`, or a function that has it, asked before every call; `isRefused` says that the one before
   * was answered 401. Left out, the browser sends its cookie.
   */
  token?: string | ((isRefused: boolean) => string | Promise<string>) | undefined
  /**
   * The address that is tried first. Where it cannot be opened, the other one is tried once before the wait.
   * @default 'wssUrlOut'
   */
  address?: 'wssUrl' | 'wssUrlOut' | undefined
  /** Binary messages are an ArrayBuffer. */
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
   * Milliseconds that no such wait exceeds.
   * @default 10000
   */
  maxWait?: number | undefined
  /**
   * Milliseconds without a message after which the connection is held for dead. Browsers notice a dead network late,
   * so have your node send something more often than this. 0 never.
   * @default 0
   */
  idleTimeout?: number | undefined
  /** @default the platform's; Node before 22 has none: pass that of `ws` */
  WebSocket?: (new (url: string, protocols: string[]) => ClientSocket) | undefined
}

export interface ConnectionEvents {
  state: (state: ConnectionState) => void
  /** The WebSocket is open. The node may still turn the client away. */
  open: (details: { url: string }) => void
  /** As `onMessage`. */
  message: (message: Message) => void
  /** An attempt ended; the next one begins in `wait` milliseconds. */
  retry: (details: { error: CobrowseFailure, wait: number }) => void
  /** It is over: with an error that asking again does not mend, or without one after `close`, `endCall` or an abort. */
  close: (error?: CobrowseFailure) => void
}

/** A client's way into its room, kept through whatever happens to nodes, network and gateway. */
export interface Connection {
  readonly state: ConnectionState
  /** Bytes that wait to be sent: stop sending while they grow. 0 when not open. */
  readonly bufferedAmount: number
  /** Settles when it is over, as the event `close` says; never rejects. */
  readonly closed: Promise<CobrowseFailure | undefined>
  /** @returns `false` when it is not open: nothing is kept for later, since the room may be another one by then */
  send (data: OutgoingMessage): boolean
  /** Leaves the room. Idempotent. */
  close (): void
  /**
   * Ends the call for both sides, and leaves the room.
   *
   * @throws `CobrowseError` when the gateway refuses or cannot be asked; the connection stays then
   */
  endCall (): Promise<void>
  /**
   * What a listener throws is reported as an uncaught error, and hurts nothing else.
   *
   * @returns unsubscribes
   */
  on<E extends keyof ConnectionEvents> (event: E, listener: ConnectionEvents[E]): () => void
}
