import type { Adapter } from './adapter.js'
import type { NodeOrder, RegistryOperations } from './operations.js'

/** Key of a room: the same room id in two tenants means two rooms. */
export interface RoomKey {
  tenant: string
  room: string
}

/** Description of a node, written by the node. */
export interface NodeRecord {
  /** 1–64 of `A-Z a-z 0-9 . _ : -`. */
  id: string
  /** Internal WebSocket address, in the form a URL parser prints it: `wss://10.1.2.3:8443/ws/cobrowse/1`. */
  wssUrl: string
  /** External address of this node. Takes precedence over the answer of CC-Provision. */
  wssUrlOut?: string | undefined
  /**
   * Share of new rooms, relative to the others; above 0, at most 1000.
   * @default 1
   */
  weight?: number | undefined
  zone?: string | undefined
  /** Version of the node's program. */
  version?: string | undefined
  /** At most 16; names and values are 1–64 of `A-Z a-z 0-9 . _ : -`. */
  labels?: Readonly<Record<string, string>> | undefined
  /**
   * A draining node gets no new rooms.
   * @default false
   */
  draining?: boolean | undefined
  /** Rooms open now. */
  rooms?: number | undefined
  /** Most rooms on the node. A full node gets no new rooms. */
  capacity?: number | undefined
}

/** One registration of a node. */
export interface NodeRef {
  id: string
  /** Fresh and random for each registration; compared for equality only. */
  incarnation: string
  wssUrl: string
  wssUrlOut?: string | undefined
}

/** A node as a gateway last saw it. */
export interface NodeView extends NodeRef {
  weight: number
  draining: boolean
  rooms: number
  zone?: string | undefined
  version?: string | undefined
  labels?: Readonly<Record<string, string>> | undefined
  capacity?: number | undefined
}

export interface SelectContext {
  room: RoomKey
  /** Rooms that this gateway gave to the node and that its record may not count so far. */
  ownAssignments (node: NodeView): number
}

/**
 * Orders the candidates for a new room, best first. The registry takes the first eight of them whose lease is live
 * in the store. A node that is left out cannot be chosen. Synchronous. If it fails, the plugin orders the candidates by
 * their load.
 */
export type SelectNode = (candidates: readonly NodeView[], context: SelectContext) => readonly NodeView[]

export interface AssignOptions {
  /** Aborts when the answer is no longer of use. An aborted assignment may still have been written. */
  signal?: AbortSignal | undefined
  /** Excludes nodes whose address must not leave the gateway. Must be pure, since it is called often. */
  accepts?: ((node: NodeView) => boolean) | undefined
  /** Replaces the order of candidates. */
  selectNode?: SelectNode | undefined
  /** A hint: this gateway has named a node of the room before, so the room is probably bound and needs no choice. */
  isKnown?: boolean | undefined
}

export interface Assignment {
  node: NodeRef
  /** The store's clock inside the assigning step, in milliseconds since the epoch: never a later date. */
  issuedAt: number
  /** Whether the answer was made from memory, without the store. */
  joinOnly: boolean
}

/**
 * `ok` the room is this node's · `elsewhere` it is bound to another live node · `lapsed` this node's lease is not
 * live · `ended` the call ended after the signature was issued.
 */
export type ClaimResult = 'ok' | 'elsewhere' | 'lapsed' | 'ended'

export interface MembershipEvents {
  /** The lease expired: admit no client by a normal signature. Rooms stay open for clients that are connected. */
  lapsed: () => void
  /** The lease is valid again, usually under a new incarnation; rooms that were still free were claimed again. */
  resumed: () => void
  /** Another process registered this node id: close the rooms and stop. This membership never resumes. */
  replaced: () => void
  /** The room is now bound to another live node: close it, its clients have to ask again. */
  lost: (room: RoomKey) => void
  /** The call ended: close the room. Signatures issued before are refused by `claim`. */
  ended: (room: RoomKey) => void
  /** An operator gave an order for this node, or took it back. The record says by itself that the node drains. */
  ordered: (order: NodeOrder | undefined) => void
}

export interface ClaimOptions {
  signal?: AbortSignal | undefined
  /** The signature's `iat`, in seconds since the epoch: the end of a call is the end of all signatures before it. */
  issuedAt?: number | undefined
}

/** A node's own registration. Remembers the rooms that the node claimed, until they are released or lost. */
export interface Membership {
  readonly id: string
  /** Incarnation of the current registration. Changes when the node registers again after a lapse. */
  readonly incarnation: string
  /** The order of an operator for this node. */
  readonly order?: NodeOrder | undefined
  /** Whether the lease is certainly valid. Synchronous: check it before every admission. */
  valid (): boolean
  /** Best estimate of the store's clock, which dates the signatures, in milliseconds since the epoch. */
  now (): number
  /**
   * Ensures that the room is bound to this node, before a normal signature is accepted for the room. Asks the store
   * unless the room is held already.
   *
   * @throws if the store cannot be asked
   */
  claim (room: RoomKey, options?: ClaimOptions): Promise<ClaimResult>
  /**
   * Whether the room is claimed and the lease is valid. Synchronous: check it again between `claim` and the admission.
   * A room that was claimed and is not held is behind a shut door: a normal signature admits no client.
   */
  holds (room: RoomKey): boolean
  /** The latest end of the call, in milliseconds by the store's clock; `undefined` if no end is known. */
  endedAt (room: RoomKey): number | undefined
  /** Releases the room after its last client left: the binding lingers, and ends unless the room is asked for again. */
  release (room: RoomKey): Promise<void>
  /** Takes the node out of the choice for new rooms. */
  drain (): Promise<void>
  /** Puts the node back. */
  undrain (): Promise<void>
  /** Withdraws the registration. Idempotent. */
  leave (): Promise<void>
  /** @returns unsubscribes */
  on<E extends keyof MembershipEvents> (event: E, listener: MembershipEvents[E]): () => void
}

/** Store of the nodes and of the bindings of rooms to them. */
export interface Registry extends Adapter {
  /**
   * Seconds a binding outlives the last signature issued for it. The plugin refuses to start if a signature could live
   * longer (`signing.ttl` + `signing.skew`). Left out: not checked.
   */
  readonly linger?: number
  /**
   * The live node of the room, chosen now if the room has none. One step of the store chooses the node and checks its
   * lease, and every answer prolongs the binding.
   *
   * @throws `NoLiveNodeError` if no node can take the room, `RegistrySettlingError` while the store cannot know
   *   whether the room is in use somewhere; any other error means that the store cannot be asked. A call that failed
   *   may still have bound the room: ask again, never choose without the store
   */
  assign (room: RoomKey, options?: AssignOptions): Promise<Assignment>
  /**
   * Ends the call: the room's node closes the room as soon as it learns of the end, and rejects signatures issued
   * before. The binding lingers. A room that is not bound stays unbound. Left out: the route `releaseConnection` is not
   * served.
   *
   * @throws if the store cannot be asked
   */
  end? (room: RoomKey, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** Nodes as last seen: a hint, never the authority. A node under an order is shown as draining. */
  nodes (): readonly NodeView[]
  /**
   * Registers a node and keeps its lease alive.
   *
   * @throws `TypeError` that names the field if the record is not valid; any other error if the store cannot be asked
   */
  join (record: NodeRecord): Promise<Membership>
  /** The access of an operator. Left out: nodes take no orders. */
  readonly operations?: RegistryOperations | undefined
}

export interface MemoryRegistryOptions {
  /** Nodes that are always present, in addition to those that `join`. */
  nodes?: readonly NodeRecord[] | undefined
  /**
   * Seconds a binding outlives the last signature: at least `signing.ttl` + `signing.skew`.
   * @default 20
   */
  linger?: number | undefined
  /**
   * Whether to keep what happened to rooms, for `explain`.
   * @default true
   */
  history?: boolean | undefined
}

/** The part of an ioredis client (5 or 6, Cluster included) that `redisRegistry` uses. */
export interface RedisScripter {
  readonly status: string
  eval (script: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  evalsha (sha1: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  /** Called with `true` if the server turns out to be a replica: the address may lead to the new primary. */
  disconnect? (reconnect?: boolean): void
}

/** Location of nodes that another program lists: one hash, or one key per node. */
export interface ListedNodes {
  /** A hash: each field is the id of a node, its value the input of `parse`. */
  hash?: string | undefined
  /** Prefix of the keys, without a pattern: the rest of a key is the id of a node, its value the input of `parse`. */
  keys?: string | undefined
}

export interface RedisRegistryOptions {
  /** A connected client, for example `app.redis`. It stays yours: the adapter never closes it. */
  redis: RedisScripter
  /**
   * Prefix of every key. Keep the braces: they hold all keys in one slot of a Cluster.
   * @default '{cobrowse}'
   */
  prefix?: string | undefined
  /**
   * Milliseconds between two heartbeats of a node, and between two readings of the nodes by a gateway.
   * @default 2000
   */
  heartbeat?: number | undefined
  /**
   * Milliseconds without a heartbeat after which a node is considered dead; at least twice the heartbeat.
   * @default 6000
   */
  lease?: number | undefined
  /**
   * Seconds a binding outlives the last signature: at least `signing.ttl` + `signing.skew`.
   * @default 20
   */
  linger?: number | undefined
  /**
   * Nodes of an existing deployment, which register themselves in a layout of their own and live as long as they are
   * listed, with a weaker promise: see docs/affinity.md. Give `hash` or `keys`; on a Cluster only `hash`, within the
   * slot of `prefix`.
   */
  listed?: ListedNodes | undefined
  /** Parses a node's record, if it is not the JSON object of `NodeRecord` without the id. */
  parse?: ((text: string, id: string) => Omit<NodeRecord, 'id'>) | undefined
  /**
   * Whether to keep what happened to rooms, for `explain`.
   * @default true
   */
  history?: boolean | undefined
}

export interface ZooKeeperRegistryOptions {
  /** `host:port,host:port`, followed by a chroot if there is one: `zk1:2181,zk2:2181,zk3:2181/apps`. */
  hosts: string
  /**
   * Parent path of all data of the registry.
   * @default '/cobrowse'
   */
  root?: string | undefined
  /** Digest credentials, `user:password`. Only clients with the same credentials can use znodes created with them. */
  auth?: string | undefined
  /**
   * Milliseconds without a heartbeat after which the ensemble considers a node dead. The servers may grant another
   * timeout, within their `minSessionTimeout` and `maxSessionTimeout`.
   * @default 6000
   */
  sessionTimeout?: number | undefined
  /**
   * Seconds a binding outlives the last signature: at least `signing.ttl` + `signing.skew`.
   * @default 20
   */
  linger?: number | undefined
  /**
   * Nodes of an existing deployment, which register themselves below a path of their own and live as long as they are
   * listed there, with a weaker promise: see docs/affinity.md.
   */
  listed?: ListedZooKeeperNodes | undefined
  /** Parses a node's record, if it is not the JSON object of `NodeRecord` without the id. */
  parse?: ((text: string, id: string) => Omit<NodeRecord, 'id'>) | undefined
  /**
   * Whether to keep what happened to rooms, for `explain`.
   * @default true
   */
  history?: boolean | undefined
}

/** Location of nodes that another program registers. */
export interface ListedZooKeeperNodes {
  /** Parent path. Each child is a node: its name is the id, its data the input of `parse`. */
  path: string
}
