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
  script (subcommand: 'FLUSH'): Promise<unknown>
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
   * A client of Redis, on a direct connection that `cut` does not affect. The runner deletes everything below
   * `prefix`, and all scripts of the server, so no other program may use the prefix. The client stays yours. Give
   * either this or `zookeeper`.
   */
  redis?: RedisData | undefined
  /**
   * Servers of ZooKeeper, `host:port,host:port` with an optional path behind them, on a direct way that `cut` does not
   * affect. The runner uses everything below `/cobrowse` at that path, which must exist and which no other program may
   * use.
   */
  zookeeper?: string | undefined
  /**
   * Prefix of all keys in Redis.
   * @default '{cobrowse}'
   */
  prefix?: string | undefined
  /** Id of the node that is checked. */
  nodeId: string
  /** Address of the node for the runner. Left out: the `wssUrl` of its record. */
  wssUrl?: string | undefined
  /** Keys and times, the same as on the node. */
  signing: SigningOptions
  /**
   * Milliseconds, the same as on the node; so are the next two. On ZooKeeper the session timeout.
   * @default 6000
   */
  lease?: number | undefined
  /**
   * Left out: 2000 on Redis, a third of the lease on ZooKeeper.
   */
  heartbeat?: number | undefined
  /**
   * Milliseconds that a client waits for the other side behind a shut door.
   * @default 2000
   */
  patience?: number | undefined
  /**
   * Seconds, the same as on the node.
   * @default 20
   */
  linger?: number | undefined
  /**
   * Milliseconds that machines and networks may add to any time of the contract.
   * @default 2000
   */
  slack?: number | undefined
  /** The constructor of `ws`. Others do not report the HTTP status of a rejected handshake. */
  WebSocket: new (address: string, protocols: string[]) => TestSocket
  /**
   * Makes a message that contains the text and that the node passes on from a recorder to a replayer. Left out: the
   * text itself.
   */
  message?: ((text: string) => string) | undefined
  /** Cuts the node alone from the store. If `cut` or `heal` is left out, rules that need them are not checked. */
  cut?: (() => void | Promise<void>) | undefined
  /** Undoes `cut`. */
  heal?: (() => void | Promise<void>) | undefined
  /**
   * Breaks the node's connection to ZooKeeper: the node cannot open another one before `heal`. If it is left out, rules
   * that need it are not checked.
   */
  drop?: (() => void | Promise<void>) | undefined
  /** Stops the node as SIGTERM does. If `stop` or `start` is left out, rules that need them are not checked. */
  stop?: (() => void | Promise<void>) | undefined
  /** Starts the node again after `stop`, under the same id and at the same address. */
  start?: (() => void | Promise<void>) | undefined
  /**
   * Milliseconds in which each of these five functions has to end.
   * @default 120000
   */
  timeout?: number | undefined
  /** Called with every rule as soon as it is checked, and at last with a summary. */
  log?: ((line: string) => void) | undefined
  /** The ids of the rules to check. Left out: all. */
  only?: readonly string[] | undefined
}

export interface RuleReport {
  id: string
  /** Text of the rule in the contract. */
  rule: string
  outcome: 'kept' | 'broken' | 'not checked'
  /** Seen and expected behaviour, or the reason why the rule was not checked. */
  detail?: string | undefined
}

export interface NodeReport {
  /** Whether every rule is kept, except for those that were not selected or that need an option which was left out. */
  passed: boolean
  /** Whether every rule was checked. */
  complete: boolean
  rules: RuleReport[]
}
