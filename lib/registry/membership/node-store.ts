import type { Moment } from '../../common/clock.js'
import type { NodeOrder } from '../../../types/operations.js'
import type { RoomKey } from '../../../types/registry.js'

/** One node's access to a store: the part of a membership that differs between Redis and ZooKeeper. */
export interface NodeStore {
  /** Most rooms that one call claims. */
  readonly batch: number
  /** Number of rooms to claim again with a heartbeat, out of this many open ones. */
  claimsAgain (open: number): number
  /** Milliseconds; may change with the connection. */
  readonly times: NodeTimes
  /** Key of a room in the store: ids never become part of the key. */
  roomKey (room: RoomKey): string
  register (call: RegisterCall): Promise<NodeAnswer>
  beat (call: BeatCall): Promise<NodeAnswer>
  claim (call: ClaimCall): Promise<NodeAnswer>
  /** Gives up a room whose last client left. A claim with a higher number stays. */
  release (call: ReleaseCall): Promise<void>
  /** Withdraws registrations, including those that were never acknowledged. */
  leave (members: string[]): Promise<void>
  /** Adds a listener, called when a heartbeat is due at once. Left out: the store has no such news. */
  onNews? (listener: () => void): void
  /** Frees the resources that the store holds for this node. */
  close? (): void
}

export interface NodeTimes {
  /** Time from the sending of a heartbeat, or from the answer's `since`, until the store may consider the node dead. */
  lease: number
  heartbeat: number
  /** Time by which a binding outlives the last signature. */
  linger: number
}

export type NodeAnswer =
  | {
    outcome: 'ok'
    now: number
    /** The moment of `now`, if it is known exactly. Left out: the sending of the call. */
    nowAt?: Moment | undefined
    /** Start of the lease. Left out: the sending of the call. */
    since?: Moment | undefined
    ends: RoomEnd[]
    claims: RoomClaim[]
    /** The order of an operator for this node, `null` for none. Left out: the call does not tell. */
    order?: NodeOrder | null | undefined
  }
  /** The store is in this epoch, not in the caller's. */
  | { outcome: 'epoch', epoch: string }
  /** This incarnation is registered, not the one to be replaced; '' for none. */
  | { outcome: 'present', incarnation: string }
  | { outcome: 'lapsed' }

export type Accepted = Extract<NodeAnswer, { outcome: 'ok' }>

/** End of the call of a room. */
export interface RoomEnd {
  key: string
  /** Milliseconds, by the store's clock. */
  at: number
}

/** Result of a claim. */
export interface RoomClaim {
  /**
   * `ok` · `elsewhere` bound to another live node · `ended` the call ended after the claim's date · `yield` not before
   * the store has settled · `stale` the room was released under the same or a higher number · `failed`
   */
  word: string
  /** Latest end of the call, or 0. */
  endedAt: number
}

/** One claim of a room. */
export interface Claim {
  key: string
  number: number
  /** Date of the signature, or of the room's opening, in milliseconds. Left out: later than all others. */
  date?: number | undefined
}

export interface Claims {
  rooms: Claim[]
  /** Whether the node had lapsed, so that its claims yield to others. */
  yields: boolean
  /** Whether this node has the rooms open: an unreadable binding is then no reason to refuse the claim. */
  areOpen?: boolean
}

export interface NodeCall {
  /** Epoch in which the node is registered; '' if the store has none. */
  epoch: string
  /** `<id>|<incarnation>` */
  member: string
}

interface PresenceCall extends NodeCall {
  /** The record as JSON, as gateways read it. */
  record: string
  claims: Claims
}

export interface BeatCall extends PresenceCall {
  /** Ends of calls that the node knows, so that the store need not report them again. */
  heard?: readonly RoomEnd[]
}

export interface RegisterCall extends PresenceCall {
  /** Incarnation that must be registered: '' for none. */
  replaces: string
}

export interface ClaimCall extends NodeCall {
  claims: Claims
  signal?: AbortSignal | undefined
}

export interface ReleaseCall extends NodeCall {
  key: string
  number: number
}
