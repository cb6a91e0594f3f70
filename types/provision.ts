import type { Adapter } from './adapter.js'
import type { NodeRef } from './registry.js'
import type { Session } from './sessions.js'

/** CC-Provision: knows the external address of the deployment. */
export interface Provision extends Adapter {
  /**
   * The external WebSocket address of a node.
   *
   * @param signal aborts when the answer is no longer of use
   * @returns a `wss:` URL, `host` or `host:port`: the plugin puts the path of the node's own `wssUrl` to it.
   *   `null` leaves `wssUrlOut` out of the answer
   * @throws anything, when no address can be had
   */
  externalUrl (node: NodeRef, session: Session, signal: AbortSignal): Promise<string | null>
  /**
   * Optional. Called as soon as the session is known, before the node is: an adapter that asks somebody else may
   * start asking now, so that registry and provision are asked side by side. Never throws, never waits.
   */
  prefetch? (session: Session): void
}

export interface HttpProvisionOptions {
  /**
   * Where to ask, by GET. `{tenantId}`, `{channelId}` and `{userId}` in its path or query are replaced by the session's
   * values, percent-encoded. Sessions that make the same URL share one answer.
   */
  url: string
  /**
   * Where the address stands in the answer: a JSON pointer (RFC 6901), or a function of the parsed answer.
   * @default '/data/address'
   */
  pick?: string | ((answer: unknown) => unknown) | undefined
  /** Header lines of the request, or a function that makes them for each request. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>) | undefined
  /** Certificates to trust, PEM. Without it those of Node. */
  ca?: string | Uint8Array | Array<string | Uint8Array> | undefined
  /**
   * Milliseconds one exchange may take in all.
   * @default 800
   */
  timeout?: number | undefined
  /**
   * Seconds an answer is kept, give or take a fifth; it is asked for again before that.
   * @default 30
   */
  ttl?: number | undefined
  /**
   * When CC-Provision cannot be asked: `stale` answers with the last good address for up to ten minutes, then
   * fails; `omit` leaves `wssUrlOut` out when nothing is held; `fail` fails as soon as the kept answer has ended.
   * @default 'stale'
   */
  onOutage?: 'stale' | 'omit' | 'fail' | undefined
}
