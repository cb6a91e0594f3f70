import type { RedisScripter } from './registry.js'
import type { SigningOptions } from './signature.js'

/** The part of an ioredis client (5 or 6, Cluster included) that `checkNode` uses. */
export interface RedisData extends RedisScripter {
  get (key: string): Promise<string | null>
  pttl (key: string): Promise<number>
  del (...keys: string[]): Promise<number>
  hget (key: string, field: string): Promise<string | null>
  hset (key: string, ...fieldsAndValues: string[]): Promise<number>
  zscore (key: string, member: string): Promise<string | null>
  zrem (key: string, ...members: string[]): Promise<number>
  zrangebyscore (key: string, from: string, to: string): Promise<string[]>
}

/** The part of a WebSocket that `checkNode` uses. */
export interface TestSocket {
  readonly protocol: string
  send (text: string): void
  close (): void
  /** Ends the connection at once. */
  terminate?: () => void
  addEventListener (type: 'open', listener: () => void): void
  addEventListener (type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener (type: 'close', listener: (event: { code: number, reason: string }) => void): void
  addEventListener (type: 'error', listener: (event: object) => void): void
}

export interface CheckNodeOptions {
  /**
   * A client of the store, straight and not through what `cut` cuts. The runner forgets everything below `prefix`, so
   * it must not be one that is in use. It stays yours.
   */
  redis: RedisData
  /** @default '{cobrowse}' */
  prefix?: string | undefined
  /** Of the node that is checked. */
  nodeId: string
  /** Where the runner reaches the node. Left out: the `wssUrl` of its record. */
  wssUrl?: string | undefined
  /** The keys and times that the node has. */
  signing: SigningOptions
  /**
   * Milliseconds, as the node has it; so are the next two.
   * @default 6000
   */
  lease?: number | undefined
  /** @default 2000 */
  heartbeat?: number | undefined
  /**
   * Milliseconds that a client waits for the other side behind a shut door.
   * @default 2000
   */
  patience?: number | undefined
  /**
   * Seconds, as the node has it.
   * @default 20
   */
  linger?: number | undefined
  /**
   * Milliseconds that machines and networks may add to any time of the contract.
   * @default 2000
   */
  slack?: number | undefined
  /** The constructor of `ws`. Others do not tell with which HTTP status a handshake was refused. */
  WebSocket: new (address: string, protocols: string[]) => TestSocket
  /**
   * Makes a message, with the text somewhere in it, that the node passes on from a recorder to a replayer. Left out:
   * the text itself.
   */
  message?: ((text: string) => string) | undefined
  /** Cuts the node, and nobody else, from the store. Left out, with `heal`: what needs it is not checked. */
  cut?: (() => void | Promise<void>) | undefined
  /** Ends what `cut` did. */
  heal?: (() => void | Promise<void>) | undefined
  /** Lets the node go as SIGTERM does. Left out, with `start`: what needs it is not checked. */
  stop?: (() => void | Promise<void>) | undefined
  /** Starts it again after `stop`, under the same id and at the same address. */
  start?: (() => void | Promise<void>) | undefined
  /** Is told of every rule as soon as it is checked. */
  log?: ((line: string) => void) | undefined
  /** The ids of the rules to check. Left out: all. */
  only?: readonly string[] | undefined
}

export interface RuleReport {
  id: string
  /** What the contract says. */
  rule: string
  outcome: 'kept' | 'broken' | 'not checked'
  /** What was seen and expected, or why it was not checked. */
  detail?: string | undefined
}

export interface NodeReport {
  /** Every rule is kept, but for those that were not asked for, or that need an option which was left out. */
  passed: boolean
  rules: RuleReport[]
}
