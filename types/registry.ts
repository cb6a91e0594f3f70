import type { Adapter } from './adapter.js'

/** A room: the same room id in two tenants is two rooms. */
export interface RoomKey {
  tenant: string
  room: string
}

/** What a node says of itself. */
export interface NodeRecord {
  /** 1–64 of `A-Z a-z 0-9 . _ : -`. */
  id: string
  /** Internal WebSocket address, in the form a URL parser prints it: `wss://10.1.2.3:8443/ws/cobrowse/1`. */
  wssUrl: string
  /** External address of this very node. Wins over what CC-Provision answers. */
  wssUrlOut?: string | undefined
  /**
   * Share of new rooms, relative to the others; above 0, at most 1000.
   * @default 1
   */
  weight?: number | undefined
  zone?: string | undefined
  /**
   * A draining node gets no new rooms.
   * @default false
   */
  draining?: boolean | undefined
  /** Rooms open now. */
  rooms?: number | undefined
  /** Rooms it can hold. A full node gets no new rooms. */
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
  capacity?: number | undefined
}

export interface SelectContext {
  room: RoomKey
  /** Rooms this gateway gave to the node that its record may not count yet. */
  ownAssignments (node: NodeView): number
}

/**
 * Orders the candidates for a new room, best first. The registry takes the first eight of them whose lease is live
 * in the store. What is left out cannot be chosen. Not asynchronous; where it throws, new rooms get 50001.
 */
export type SelectNode = (candidates: readonly NodeView[], context: SelectContext) => readonly NodeView[]

export interface AssignOptions {
  /** Aborts when the answer is no longer of use. What was written may stand all the same. */
  signal?: AbortSignal | undefined
  /** Keeps nodes out of the choice, whose address must not leave the gateway. Pure; asked often. */
  accepts?: ((node: NodeView) => boolean) | undefined
  /** Replaces the order of candidates. */
  selectNode?: SelectNode | undefined
}

export interface Assignment {
  node: NodeRef
  /** The store's clock inside the assigning step, in milliseconds since the epoch: never a later date. */
  issuedAt: number
  /** `true` when the answer was made without the store, from memory. */
  joinOnly: boolean
}

/**
 * `ok` the room is this node's · `elsewhere` it is bound to another live node · `lapsed` this node's lease is not
 * live · `ended` the call ended after the signature was issued.
 */
export type ClaimResult = 'ok' | 'elsewhere' | 'lapsed' | 'ended'

export interface MembershipEvents {
  /** The lease ran out: admit nobody by a normal signature. Rooms stay open for those who are inside. */
  lapsed: () => void
  /** The lease lives again, as a rule under a new incarnation, and the rooms were claimed again that could be. */
  resumed: () => void
  /** Another process registered this node id: close the rooms and stop. This membership never comes back. */
  replaced: () => void
  /** The room is bound to another live node by now: close it, its clients have to ask again. */
  lost: (room: RoomKey) => void
  /** The call ended: close the room. Signatures issued before are refused by `claim`. */
  ended: (room: RoomKey) => void
}

export interface ClaimOptions {
  signal?: AbortSignal | undefined
  /** The signature's `iat`, in seconds since the epoch: the end of a call is the end of all signatures before it. */
  issuedAt?: number | undefined
}

/** A node's own registration. It remembers the rooms it claimed, until they are released or lost. */
export interface Membership {
  readonly id: string
  /** Of the present registration: it changes when the node registers again after a lapse. */
  readonly incarnation: string
  /** Whether the lease certainly lives. Synchronous: ask it before every admission. */
  valid (): boolean
  /** The store's clock, in milliseconds since the epoch, as well as it is known here: dates of signatures are its. */
  now (): number
  /**
   * Makes sure that the room is this node's, before a normal signature is accepted for it. The store is asked unless
   * the room is held already.
   *
   * @throws when the store cannot be asked
   */
  claim (room: RoomKey, options?: ClaimOptions): Promise<ClaimResult>
  /**
   * Whether the room is claimed and the lease lives. Synchronous: ask it once more between `claim` and the admission.
   * A room that was claimed and is not held is behind a shut door: nobody enters by a normal signature.
   */
  holds (room: RoomKey): boolean
  /** When the call ended last, in milliseconds by the store's clock; `undefined` when it is not known to have ended. */
  endedAt (room: RoomKey): number | undefined
  /** The last client left: the binding lingers, and ends unless somebody asks for the room again. */
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

/** Knows the nodes, and which of them holds a room. */
export interface Registry extends Adapter {
  /**
   * Seconds a binding outlives the last signature issued for it. The plugin refuses to start when a signature could
   * live longer (`signing.ttl` + `signing.skew`). Left out: not checked.
   */
  readonly linger?: number
  /**
   * The live node of the room, chosen now if it has none. Choice and test of life happen in one step of the store,
   * and every answer prolongs the binding.
   *
   * @throws `NoLiveNodeError` when no node can take the room, `RegistrySettlingError` while the store cannot know yet
   *   whether the room is in use somewhere; anything else means that the store cannot be asked. A call that failed
   *   may still have bound the room: ask again, never choose without the store
   */
  assign (room: RoomKey, options?: AssignOptions): Promise<Assignment>
  /**
   * The call ended: the room's node closes it as soon as it hears of it, and refuses signatures issued before. The
   * binding lingers. Does nothing for a room that is not bound. Left out: the route `releaseConnection` is not served.
   *
   * @throws when the store cannot be asked
   */
  end? (room: RoomKey, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** The nodes as last seen: a hint, never the authority. */
  nodes (): readonly NodeView[]
  /**
   * Registers a node and keeps its lease alive.
   *
   * @throws `TypeError` that names the field when the record is not valid; anything else when the store cannot be asked
   */
  join (record: NodeRecord): Promise<Membership>
}

export interface MemoryRegistryOptions {
  /** Nodes that are always there, beside those that `join`. */
  nodes?: readonly NodeRecord[] | undefined
  /**
   * Seconds a binding outlives the last signature: at least `signing.ttl` + `signing.skew`.
   * @default 20
   */
  linger?: number | undefined
}

/** The part of an ioredis client (5 or 6, Cluster included) that `redisRegistry` uses. */
export interface RedisScripter {
  readonly status: string
  eval (script: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  evalsha (sha1: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  /** Called with `true` when the server turns out to be a replica: the address may lead to the new primary. */
  disconnect? (reconnect?: boolean): void
}

/** Where nodes stand that something else lists: in one hash, or in keys of their own. */
export interface ListedNodes {
  /** A hash: each field is the id of a node, its value what `parse` reads. */
  hash?: string | undefined
  /** Begin of the keys, without a pattern: what follows is the id of a node, the value what `parse` reads. */
  keys?: string | undefined
}

export interface RedisRegistryOptions {
  /** A connected client, for example `app.redis`. It stays yours: the adapter never closes it. */
  redis: RedisScripter
  /**
   * Put before every key. Keep the braces: they hold all keys in one slot of a Cluster.
   * @default '{cobrowse}'
   */
  prefix?: string | undefined
  /**
   * Milliseconds between two heartbeats of a node, and between two readings of the nodes by a gateway.
   * @default 2000
   */
  heartbeat?: number | undefined
  /**
   * Milliseconds after its last heartbeat a node is held to be dead; at least twice the heartbeat.
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
   * listed. They get a weaker promise: see docs/affinity.md. Give `hash` or `keys`; on a Cluster within the slot of
   * `prefix`, and only `hash`.
   */
  listed?: ListedNodes | undefined
  /** Reads a node's record, where it is not the JSON object of `NodeRecord` without the id. */
  parse?: ((text: string, id: string) => Omit<NodeRecord, 'id'>) | undefined
}

export interface ZooKeeperRegistryOptions {
  /** `host:port,host:port`, with a chroot behind it if there is one: `zk1:2181,zk2:2181,zk3:2181/apps`. */
  hosts: string
  /**
   * The path below which all is kept.
   * @default '/cobrowse'
   */
  root?: string | undefined
  /** Digest credentials, `user:password`. What is made with them is for those who have them. */
  auth?: string | undefined
  /**
   * Milliseconds without a word after which the ensemble holds a node for dead. The servers may grant others: see
   * `minSessionTimeout` and `maxSessionTimeout` there.
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
   * there. They get a weaker promise: see docs/affinity.md.
   */
  listed?: ListedZooKeeperNodes | undefined
  /** Reads a node's record, where it is not the JSON object of `NodeRecord` without the id. */
  parse?: ((text: string, id: string) => Omit<NodeRecord, 'id'>) | undefined
}

/** Where nodes stand that something else registers. */
export interface ListedZooKeeperNodes {
  /** Each child is a node: its name is the id, its data what `parse` reads. */
  path: string
}
