import { createRequire } from 'node:module'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'

const NAME = 'node-zookeeper-client'

const isFunction = (member: unknown) => typeof member === 'function'
const isObject = (member: unknown) => typeof member === 'object'
const isNumber = (member: unknown) => typeof member === 'number'

/** Undocumented internals that this client relies on. `connect` creates `socket`, which is checked afterwards. */
const INTERNALS = {
  connect: isFunction,
  findNextServer: isFunction,
  onSocketData: isFunction,
  sessionId: isObject,
  sessionPassword: isObject,
  sessionTimeout: isNumber,
  zxid: isObject,
  connectTimeoutHandler: isObject
}

export interface Stat {
  czxid: Buffer
  mtime: Buffer
  version: number
  cversion: number
  ephemeralOwner: Buffer
  numChildren: number
}

export interface Failure extends Error {
  code: number
}

export interface MultiResult {
  type: number
  err?: number
}

export interface Operation {
  version?: number
}

export type Acl = unknown[]

export interface Transaction {
  ops: Operation[]
  check (path: string, version?: number): this
  create (path: string, data: Buffer, acl: Acl, mode: number): this
  setData (path: string, data: Buffer, version?: number): this
  remove (path: string, version?: number): this
  commit (callback: (error: Failure | null | undefined, results?: MultiResult[]) => void): void
}

export interface ConnectionManager {
  sessionId: Buffer
  sessionPassword: Buffer
  sessionTimeout: number
  /** The latest zxid that was seen. */
  zxid: Buffer
  connectTimeoutHandler: NodeJS.Timeout | null
  /** Present from `connect` on. */
  socket?: Socket
  connect (): void
  findNextServer (callback: (server: { host: string, port: number }) => void): void
  onSocketData (bytes: Buffer): void
}

export type Watcher = (() => void) | undefined

export interface Client extends EventEmitter {
  connectionManager: ConnectionManager
  connect (): void
  close (): void
  addAuthInfo (scheme: string, auth: Buffer): void
  getData (
    path: string, watcher: Watcher, callback: (error: Failure | null, data: Buffer | undefined, stat: Stat) => void
  ): void
  exists (path: string, watcher: Watcher, callback: (error: Failure | null, stat: Stat | null) => void): void
  getChildren (path: string, watcher: Watcher, callback: (error: Failure | null, names: string[]) => void): void
  create (
    path: string, data: Buffer, acl: Acl, mode: number, callback: (error: Failure | null, path: string) => void
  ): void
  remove (path: string, version: number, callback: (error: Failure | null) => void): void
  transaction (): Transaction
}

export interface ClientOptions {
  sessionTimeout: number
  retries: number
  sessionId?: Buffer | undefined
  sessionPassword?: Buffer | undefined
}

interface Package {
  createClient (hosts: string, options: ClientOptions): Client
  State: { SYNC_CONNECTED: unknown, EXPIRED: unknown, AUTH_FAILED: unknown }
  ACL: { CREATOR_ALL_ACL: Acl, OPEN_ACL_UNSAFE: Acl }
  CreateMode: { PERSISTENT: number, EPHEMERAL: number }
  Exception: Record<string, unknown>
}

// The package has no types of its own, and the published ones do not cover its internals.
const load = createRequire(import.meta.url)
let loaded: Package | undefined

/** Loaded when it is needed: most gateways use another registry. */
export function zookeeper (): Package {
  loaded ??= load(NAME) as Package
  return loaded
}

/** @throws Error if the installed package lacks the internals */
export function assertPackage (): void {
  assertInternals(zookeeper().createClient('unused', { sessionTimeout: 0, retries: 0 }))
}

/** @throws Error that names the missing member and the version */
export function assertInternals (client: Partial<Pick<Client, 'transaction'>> & { connectionManager?: object }): void {
  // The type allows for missing members.
  const manager = (client.connectionManager ?? {}) as Record<string, unknown>
  for (const [name, isAsBefore] of Object.entries(INTERNALS)) {
    if (!isAsBefore(manager[name])) throw changed(`connectionManager.${name}`)
  }
  if (!Array.isArray(client.transaction?.().ops)) throw changed('transaction().ops')
}

export function changed (member: string): Error {
  // Every package.json has a version.
  const { version } = load(`${NAME}/package.json`) as { version: string }
  return new Error(`${NAME} ${version} has no ${member}, which 1.1.3 had`)
}
