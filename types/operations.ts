import type { NodeView, RoomKey } from './registry.js'

/** What an operator wants of a node. */
export interface NewNodeOrder {
  /** `cordon` no new rooms · `drain` no new rooms, and the rooms leave by the deadline */
  kind: 'cordon' | 'drain'
  /** 1 to 200 characters, for whoever finds the node under the order. */
  reason: string
  /** 1 to 64 characters. */
  author: string
  /**
   * Of a drain: milliseconds until the remaining clients are told to ask again; 0 at once. They get another node.
   * @default 600000
   */
  deadline?: number | undefined
  /**
   * Of a drain: milliseconds over which clients that are left at the deadline are to spread their return.
   * @default 0
   */
  returnWithin?: number | undefined
}

/**
 * An order for a node id. It ends only when an operator takes it back: it outlives restarts of nodes and gateways, and
 * those of a store that keeps its data.
 */
export interface NodeOrder extends NewNodeOrder {
  /** Moment of the order, in milliseconds by the store's clock. */
  at: number
}

/** A node for an operator. A `gone` node has an order only. */
export interface OperatedNode extends Partial<Omit<NodeView, 'id'>> {
  id: string
  /**
   * `serving` · `cordoned`, `draining` alive, and gets no new rooms · `lapsed` not heard of for a lease ·
   * `rejected` alive, but its record cannot be read · `gone` not registered
   */
  state: 'serving' | 'cordoned' | 'draining' | 'lapsed' | 'rejected' | 'gone'
  /** Milliseconds since the latest heartbeat. Left out: the store does not know it. */
  heardAgo?: number
  order?: NodeOrder
  /** The reason why the record cannot be read. */
  fault?: string
}

/** A room that the store binds to a node. The store does not know the tenant and the id of a room, only their hash. */
export interface OperatedRoom {
  /** Base64url of SHA-256 over tenant and room, as in the keys of the store. */
  key: string
  /** Id of the node. */
  node: string
  incarnation: string
  /**
   * `assigned` by a gateway · `claimed` by the node, which has it open · `released` by the node, or its call ended ·
   * `moving` an operator moves it, and the node has not given it up · `moved` the node has, and the next caller gets
   * another
   */
  state: 'assigned' | 'claimed' | 'released' | 'moving' | 'moved'
}

/** What an operator wants of a room. */
export interface NewRoomMove {
  /** Id of the node that is to have the room, if it is alive and under no order by then. Left out: any other node. */
  to?: string | undefined
  /** 1 to 200 characters, for whoever asks why the room moved. */
  reason: string
  /** 1 to 64 characters. */
  author: string
}

/** What became of a move. */
export interface RoomMove {
  /**
   * `moving` the node has to give the room up first: `explain` tells when it has · `moved` the next caller gets another
   * node · `unbound` the room is bound to no node, so there is nothing to move
   */
  outcome: 'moving' | 'moved' | 'unbound'
  /** Id of the node that the room leaves. */
  from?: string
}

/** Something that happened to a room. It holds no user, no token and no signature. */
export interface RoomEvent {
  /** Milliseconds since the epoch, by the store's clock; on ZooKeeper, by the clock of the process that wrote it. */
  at: number
  /**
   * `chosen` a gateway gave the room to a node · `claimed` the node opened it, or claimed it again for a store that had
   * lost it · `released` its last client left · `ended` the call · `moved` by an operator · `epoch` the store lost its
   * memory, or was replaced by one that had missed writes: what happened earlier is not known
   */
  event: 'chosen' | 'claimed' | 'released' | 'ended' | 'moved' | 'epoch'
  /** Id of the node; of `moved`, of the node that the room left. Left out of `epoch`. */
  node?: string
  /** Of `chosen`: what the gateway chose from. */
  choice?: RoomChoice
  /** Of `chosen`: the node that had the room before, and why it did not keep it. */
  instead?: { node: string, why: 'died' | 'moved' }
  /** Of `moved`. */
  why?: NewRoomMove
  /** What happened, in one sentence. */
  text: string
}

/** What a gateway chose from. */
export interface RoomChoice {
  /** Host name and process id. */
  gateway: string
  /** Number of nodes that could take the room. */
  candidates: number
  /** Up to eight of them, best first; `load` is the number of rooms divided by the weight. */
  proposed: Array<{ id: string, load: number }>
  /**
   * Number of nodes that were left out: `draining` on their own or by an order, `full`, `refused` by the gateway for
   * their address, or `dead`: better ones that the store found dead, or under an order that the gateway did not know.
   */
  leftOut: { draining: number, full: number, refused: number, dead: number }
}

/** What the store knows of one room, and what that means for the next caller. */
export interface RoomExplanation {
  /** Base64url of SHA-256 over tenant and room, as in the keys of the store. */
  key: string
  /** Left out: the room is bound to no node, or its binding cannot be read. */
  binding?: OperatedRoom & {
    /** Number of the latest claim of the node; 0 if it has not claimed the room. */
    claims: number
    /** Whether the node is alive. */
    isAlive: boolean
    /** Milliseconds until the binding ends, unless it is prolonged. Left out: the store does not count them. */
    endsIn?: number
    /** Of a room that an operator moves: id of the node that is to have it next. Left out: any other node. */
    target?: string
  }
  /** Latest end of the call, in milliseconds since the epoch. */
  endedAt?: number
  /** Milliseconds until the store has settled: until then new rooms have to wait. */
  settlingMs: number
  /** Ids of the nodes that a new room may get. */
  candidates: string[]
  /** The other nodes, and the reasons. */
  leftOut: Array<{ id: string, reason: string }>
  /** What the next caller gets, and why, in one sentence. */
  next: string
  /** The latest 32 events of the room, newest first, as far as the store has kept them. */
  history: RoomEvent[]
}

/** The access of an operator. It needs the store alone, no gateway. */
export interface RegistryOperations {
  /** All nodes, those that lapsed, and the ids that are under an order. */
  nodes (): Promise<OperatedNode[]>
  /**
   * All rooms that are bound to a node, or to this one. A room that changes meanwhile may show twice, or not at all.
   * Reads the whole store, piece by piece.
   */
  rooms (options?: { node?: string | undefined }): AsyncIterable<OperatedRoom>
  /**
   * Tells where a room is, and what the next caller gets. It changes nothing.
   *
   * @param options `history: false` leaves the history empty. Redis looks through the events of all rooms for it, so
   *   leave it out if you ask again and again
   */
  explain (room: RoomKey, options?: { history?: boolean | undefined }): Promise<RoomExplanation>
  /** All orders, by the ids of the nodes. */
  orders (): Promise<ReadonlyMap<string, NodeOrder>>
  /**
   * Gives an order for a node id, which need not be registered, in place of an earlier order; `null` takes it back.
   * From then on no gateway gives the node a new room.
   *
   * @throws `TypeError` that names the field if the order is not valid; any other error if the store cannot be asked
   */
  setOrder (id: string, order: NewNodeOrder | null): Promise<void>
  /**
   * Moves a room away from its node, in order: the call ends there, its clients are told to ask again, and meanwhile
   * gateways answer 50303. Once the node has given the room up, or is dead, or the binding has ended (after the linger
   * and a lease at the latest), the next caller gets another node.
   *
   * @throws `TypeError` that names the field if the move is not valid, or if the node `to`, or without it every other
   *   node, may take no room; any other error if the store cannot be asked
   */
  move (room: RoomKey, move: NewRoomMove): Promise<RoomMove>
}
