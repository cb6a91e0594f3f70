import type { BackendStatus } from './adapter.js'
import type { ConnectionInfo, ConnectionInfoBody } from './options.js'
import type { Provision } from './provision.js'
import type { Registry } from './registry.js'
import type { Session } from './sessions.js'

export type * from './adapter.js'
export type * from './options.js'
export type * from './placement.js'
export type * from './provision.js'
export type * from './operations.js'
export type * from './registry.js'
export type * from './sessions.js'
export type * from './jwks.js'
export type * from './redis-client.js'
export type * from './role.js'
export type * from './signature.js'
export type * from './tracing.js'

/** `app.cobrowse` */
export interface Cobrowse {
  /**
   * Returns the route's answer for a caller that was authenticated and authorized elsewhere: neither the token store
   * nor `authorize` is asked.
   *
   * @throws an error of the catalogue (see the README)
   */
  connectionInfo (session: Session, body: ConnectionInfoBody): Promise<ConnectionInfo>
  /**
   * Ends the co-browsing of a call, for a caller that was authenticated and authorized elsewhere. A call that has no
   * room, or none any more, is no error.
   *
   * @throws an error of the catalogue, or `TypeError` if the registry has no `end`
   */
  endCall (session: Session, callId: string): Promise<void>
  /** The `room` of log lines and trace events for this room: a hash with the first key of `signing`. */
  roomHash (room: string): string
  /** The state of each backend, and how much the plugin can answer. */
  status (): CobrowseStatus
}

/**
 * Rooms that can be answered: `all` · `known-rooms`, while the registry cannot be asked or answers in part; rooms that
 * this gateway has answered for go on, new ones may have to wait · `none`, while the token store cannot be asked or the
 * application is closing, or neither registry nor memory knows a room
 */
export type Answers = 'all' | 'known-rooms' | 'none'

export interface CobrowseStatus {
  /** Whether a balancer should send requests here: `false` if `answers` is `none`, or a close has begun. */
  ready: boolean
  answers: Answers
  inFlight: number
  /** Requests that may be in flight now: at most `maxInFlight`, fewer while the event loop is overloaded. */
  inFlightLimit: number
  sessions: BackendStatus
  registry: BackendStatus
  provision: BackendStatus
}

declare module 'fastify' {
  interface FastifyInstance {
    cobrowse: Cobrowse
    cobrowseRegistry: Registry
    cobrowseProvision: Provision
  }
  interface FastifyRequest {
    /** Set by the plugin's preHandler; `null` elsewhere. */
    cobrowseSession: Session | null
  }
}
