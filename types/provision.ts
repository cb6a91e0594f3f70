import type { FastifyRequest } from 'fastify'
import type { Adapter } from './adapter.js'
import type { NodeRef } from './registry.js'
import type { Session } from './sessions.js'

/** Source of the deployment's external address: CC-Provision. */
export interface Provision extends Adapter {
  /**
   * The external WebSocket address of a node.
   *
   * @param signal aborts when the answer is no longer of use
   * @param request the request that asks; left out for calls of `app.cobrowse`
   * @returns a `wss:` URL, `host` or `host:port`: the plugin adds the path of the node's own `wssUrl`.
   *   `null` leaves `wssUrlOut` out of the answer
   * @throws any error if no address is available
   */
  externalUrl (
    node: NodeRef, session: Session, signal: AbortSignal, request?: FastifyRequest
  ): Promise<string | null>
  /**
   * Optional. Called as soon as the session is known, before the node is: an adapter that asks a server may start
   * now, so that registry and provision are asked in parallel. Never throws, never waits.
   */
  prefetch? (session: Session, request?: FastifyRequest): void
}

export type ProvisionHeaders = (session: Session, request: FastifyRequest | undefined) =>
  Record<string, string | undefined> | Promise<Record<string, string | undefined>>

export interface HttpProvisionOptions {
  /**
   * URL of the GET request. `{tenantId}`, `{channelId}` and `{userId}` in path or query are replaced by the session's
   * values, percent-encoded. Sessions that make the same URL share one answer.
   */
  url: string
  /**
   * Position of the address in the answer: a JSON pointer (RFC 6901), or a function of the parsed answer.
   * @default '/data/address'
   */
  pick?: string | ((answer: unknown) => unknown) | undefined
  /**
   * Header lines, or a function that makes them for each request to CC-Provision. It gets the session and the request
   * that asks first: others with the same URL share the answer. A line whose value is undefined is left out.
   */
  headers?: Record<string, string> | ProvisionHeaders | undefined
  /** Certificates to trust, PEM. Left out: those of Node.js. */
  ca?: string | Uint8Array | Array<string | Uint8Array> | undefined
  /**
   * Milliseconds one exchange may take in all.
   * @default 800
   */
  timeout?: number | undefined
  /**
   * Seconds an answer is kept, give or take a fifth; the adapter asks for a new one earlier.
   * @default 30
   */
  ttl?: number | undefined
  /**
   * Behaviour while CC-Provision cannot be asked: `stale` answers with the last good address for up to ten minutes,
   * then fails; `omit` leaves `wssUrlOut` out if no address is kept; `fail` fails as soon as the kept answer expires.
   * @default 'stale'
   */
  onOutage?: 'stale' | 'omit' | 'fail' | undefined
}
