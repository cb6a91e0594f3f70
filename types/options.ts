import type { FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Provision } from './provision.js'
import type { NodeRef, Registry, SelectNode } from './registry.js'
import type { Session, Sessions } from './sessions.js'
import type { Role } from './role.js'
import type { SigningOptions } from './signature.js'

/** The body of the request, checked. */
export interface ConnectionInfoBody {
  roomId: string
  userId: string
  userName: string
  role: Role
  /** The signature of the previous answer, if no WebSocket could be opened to its node. */
  unopened?: string
}

/** The body of a request that ends a call, checked. */
export interface ReleaseBody {
  /** The `roomId` of `ConnectionInfoBody`. */
  callId: string
}

/** `data` of a successful answer. */
export interface ConnectionInfo {
  roomId: string
  /** Internal WebSocket address of the node. Left out if `exposeInternal` says so. */
  wssUrl?: string
  /** External WebSocket address. Left out only if provision's `onOutage` is `omit`. */
  wssUrlOut?: string
  /** Shown to the node when connecting. Works once. */
  signature: string
}

/** Allows or denies a role in a room. `false`, or a rejection with a 4xx `statusCode`, is answered 40301. */
export type Authorize = (
  session: Session, body: ConnectionInfoBody, request: FastifyRequest
) => boolean | Promise<boolean>

/** Allows or denies ending the co-browsing of a call. A denial is answered as one of `authorize`. */
export type AuthorizeRelease = (
  session: Session, body: ReleaseBody, request: FastifyRequest
) => boolean | Promise<boolean>

/** Whether the caller may see the internal address of its node. */
export type ExposeInternal = (
  session: Session, body: ConnectionInfoBody, request: FastifyRequest | undefined
) => boolean

/** A signature that was issued. */
export interface Issued {
  session: Session
  /** The `roomId` of the request, as it was sent. */
  room: string
  role: Role
  node: NodeRef
  /** Whether the signature only leads back to an open room, without the store. */
  joinOnly: boolean
  /** Left out for calls of `app.cobrowse`. */
  request?: FastifyRequest | undefined
}

/** Called after each signature. Nothing waits for it. */
export type OnIssued = (issued: Issued) => unknown

/** The part of a prom-client registry that the plugin uses. */
export interface MetricsRegistry {
  registerMetric (metric: never): void
  getSingleMetric (name: string): unknown
}

/** Route options of Fastify that are the plugin's own. */
export type RefusedRouteOption =
  | 'attachValidation'
  | 'bodyLimit'
  | 'errorHandler'
  | 'schemaErrorFormatter'
  | 'serializerCompiler'
  | 'validatorCompiler'

export interface ApiFabricOptions {
  /**
   * Finds the session of a bearer token. Return `null` if the token is not valid; an error means "cannot know" (50305).
   */
  authenticate (token: string, request: FastifyRequest): Session | null | Promise<Session | null>
  /** Left out: `/apiaccess/api/cobrowse/getConnectionInfo`. */
  path?: string | undefined
}

export interface CobrowseOptions {
  /** The token store: `redisSessions`, `memorySessions` or your own. */
  sessions: Sessions
  /** The store of nodes and rooms: `redisRegistry`, `memoryRegistry` or your own. */
  registry: Registry
  /** The external address: `httpProvision`, `staticProvision` or your own. */
  provision: Provision
  /** Keys and lifetimes of the signature. */
  signing: SigningOptions
  /** Allows or denies a role in a room. There is no default: see docs/security.md. */
  authorize: Authorize
  /**
   * Allows or denies ending the co-browsing of a call. Left out: `authorize` decides, called with the session's own
   * user and the role `replayer`. A customer's token must not let its holder end the calls of others.
   */
  authorizeRelease?: AuthorizeRelease | undefined
  /**
   * Path of the route that returns the node of a room.
   * @default '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo'
   */
  path?: string | undefined
  /**
   * Path of the route that ends a call; omitted if the registry does not implement `end`.
   * @default '/service-cloud/rest/webadapter/v1/connectionInfo/releaseConnection'
   */
  releasePath?: string | undefined
  /**
   * A further route, in the form of the vendor's API fabric: a bearer token in place of the cookie, `roomId`, `userId`
   * and `userName` may be left out, and the answer has the form `{ success, data, errorCode, errorReason }`.
   */
  apiFabric?: ApiFabricOptions | undefined
  /**
   * Prefix of all paths.
   * @default ''
   */
  prefix?: string
  /**
   * Origins of web pages, besides the gateway's own, that may send requests: `https://app.example`.
   * @default []
   */
  allowedOrigins?: readonly string[] | undefined
  /** Host names, addresses or CIDR ranges that an address in an answer may have. Left out: any. */
  allowedHosts?: readonly string[] | undefined
  /**
   * Whether answers contain `wssUrl`, the internal address of the node: `always`, `never`, or a synchronous function
   * that decides for each request; `request` is undefined for calls of `app.cobrowse`. A caller that gets no internal
   * address needs an external one.
   * @default 'always'
   */
  exposeInternal?: 'always' | 'never' | ExposeInternal | undefined
  /**
   * Allows `ws:` addresses that do not point to loopback in answers.
   * @default false
   */
  allowInsecure?: boolean | undefined
  /**
   * Milliseconds from the arrival of a request to its answer, every dependency included.
   * @default 1500
   */
  timeout?: number | undefined
  /**
   * Most requests in flight at once; one more is answered 50306. An overloaded event loop lowers the limit.
   * @default 1000
   */
  maxInFlight?: number | undefined
  /**
   * Seconds for which a room that was answered for before is answered with join-only signatures while the registry
   * cannot be asked or is settling, counted from its last view of the nodes; 0 never.
   * @default 600
   */
  joinOnlyFor?: number | undefined
  /** Replaces the order of candidates for a new room. */
  selectNode?: SelectNode | undefined
  /**
   * Called after each signature that was issued: the place for an audit trail. Nothing waits for it, and no answer
   * depends on it; the first of several failures in a row is logged.
   */
  onIssued?: OnIssued | undefined
  /**
   * Whether the application becomes ready without its backends (`lazy`), or waits for the token store and the registry
   * for at most 5 s and otherwise fails, with the reason (`strict`).
   * @default 'lazy'
   */
  start?: 'lazy' | 'strict' | undefined
  /**
   * Milliseconds between the beginning of a close, when `status().ready` becomes false, and the first refused request:
   * time for a load balancer to notice. Needs Fastify's `return503OnClosing: false`.
   * @default 0
   */
  readyDelay?: number | undefined
  /**
   * Name of the decorators: `app.<name>`, `app.<name>Registry` and `app.<name>Provision`. A second registration in one
   * scope needs another name, and other paths.
   * @default 'cobrowse'
   */
  decoratorName?: string | undefined
  /**
   * Names of the options that a loader such as @fastify/autoload gives to every plugin. They are ignored.
   * @default []
   */
  sharedOptions?: readonly string[] | undefined
  /** A prom-client registry for the plugin's metrics. */
  metrics?: MetricsRegistry | undefined
  /** Merged into both routes: `config.rateLimit`, `onRequest`, … docs/route-options.md lists the allowed options. */
  routeOptions?: Omit<RouteShorthandOptions, RefusedRouteOption> | undefined
}
