import type { Moment } from './lease.js'
import type { RoomKey } from '../../../types/registry.js'

/** What a store is asked by one node: the part of a membership that differs between Redis and ZooKeeper. */
export interface NodeStore {
  /** Rooms that one call claims at most. */
  readonly batch: number
  /** How many of so many open rooms are claimed again with a heartbeat. */
  claimsAgain (open: number): number
  /** Milliseconds; they may change with the connection. */
  readonly times: NodeTimes
  /** By what the store knows a room: ids never become part of it. */
  roomKey (room: RoomKey): string
  register (call: RegisterCall): Promise<NodeAnswer>
  beat (call: BeatCall): Promise<NodeAnswer>
  claim (call: ClaimCall): Promise<NodeAnswer>
  /** The last client left. Does nothing to a claim with a higher number. */
  release (call: ReleaseCall): Promise<void>
  /** Withdraws registrations, those too of which no answer was heard. */
  leave (members: string[]): Promise<void>
  /** Told when a heartbeat should not wait for its time. Left out: there is nothing to tell. */
  onNews? (listener: () => void): void
  /** Ends what the store made for this node. */
  close? (): void
}

export interface NodeTimes {
  /** From when a heartbeat was sent, or what its answer says, until the store may hold the node for dead. */
  lease: number
  heartbeat: number
  /** How long a binding outlives the last signature. */
  linger: number
}

export type NodeAnswer =
  | {
    outcome: 'ok'
    now: number
    /** From when the lease counts. Left out: from when the call was sent. */
    since?: Moment | undefined
    ends: RoomEnd[]
    /** There are more, which the next heartbeat is told. */
    hasMoreEnds?: boolean
    claims: RoomClaim[]
  }
  /** The store is in another epoch than the caller knew. */
  | { outcome: 'epoch', epoch: string }
  /** Another incarnation is registered than the one to be replaced; '' for none. */
  | { outcome: 'present', incarnation: string }
  | { outcome: 'lapsed' }

export type Accepted = Extract<NodeAnswer, { outcome: 'ok' }>

/** The call of a room ended. */
export interface RoomEnd {
  key: string
  /** Milliseconds, by the store's clock. */
  at: number
}

/** What became of a claim. */
export interface RoomClaim {
  /**
   * `ok` · `elsewhere` bound to another live node · `ended` the call ended after the claim's date · `yield` not yet,
   * while the store settles · `stale` the room was released under the same or a higher number · `failed`
   */
  word: string
  /** When the call ended last, or 0. */
  endedAt: number
}

/** One claim of a room. */
export interface Claim {
  key: string
  number: number
  /** Milliseconds: of the signature that was shown, or of the room's opening. Left out: later than all others. */
  date?: number | undefined
}

export interface Claims {
  rooms: Claim[]
  /** Of a node that had lapsed. */
  yields: boolean
  /** Of rooms that this node has open: an unreadable binding of one is no reason to refuse it. */
  areOpen?: boolean
}

export interface NodeCall {
  /** In which the node is registered; '' where the store has none. */
  epoch: string
  /** `<id>|<incarnation>` */
  member: string
}

interface PresenceCall extends NodeCall {
  /** JSON, as gateways read it. */
  record: string
  claims: Claims
}

export interface BeatCall extends PresenceCall {
  /** Ends of calls that the node was told of, and need not be told again. */
  heard?: readonly RoomEnd[]
}

export interface RegisterCall extends PresenceCall {
  /** The incarnation that must be present: '' for none. */
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
