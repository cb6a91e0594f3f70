import type { Registry, RoomKey } from '../../../types/registry.js'
import type { Losses } from './faults.js'
import type { RedisTestStore } from './redis-store.js'
import type { ZooKeeperTestStore } from './zookeeper-store.js'

/** One registration in the store. */
export interface Registration {
  id: string
  incarnation: string
  /** `<id>|<incarnation>` */
  member: string
  /** Milliseconds, by the store's clock: the latest heartbeat, or change of the record if the store notes none. */
  renewedAt: number
  /** Milliseconds, by the store's clock; 0 if there is no lease, Infinity if the store does not tell. */
  leaseEnds: number
  isAlive: boolean
  record: string | null
}

/** One room in the store. */
export interface Binding {
  text: string
  /** `null` if the store has no epochs. */
  epoch: string | null
  member: string
  state: string
}

export interface Assigned {
  outcome: string
  member: string
  issuedAt: number
}

/** A store, with the access of a gateway and an operator. Its methods throw `StoreUnavailable` without an answer. */
export interface CommonStore {
  /** Describes where the data lies. */
  readonly place: string
  /** Milliseconds, by the clock that dates signatures. */
  now (): Promise<number>
  /** `null` if there is none. */
  epoch (): Promise<string | null>
  /** Current registration of a node. */
  registration (id: string): Promise<Registration | null>
  /** Members of all living nodes. */
  members (): Promise<string[]>
  binding (room: RoomKey): Promise<Binding | null>
  /** Remaining milliseconds of a binding; Infinity if it does not expire by itself. */
  bindingLasts (room: RoomKey): Promise<number>
  /** Assigns the room as a gateway does. */
  assign (room: RoomKey, member: string): Promise<Assigned>
  /** Ends the call as a gateway does. */
  endCall (room: RoomKey): Promise<void>
  /** Moves the room away from its node as an operator does. */
  move (room: RoomKey): Promise<void>
  /** Whether a node has said that it gave up a room that an operator moves. */
  hasGivenUp (nodeId: string, room: RoomKey): Promise<boolean>
  /** Ends a lease at once, as if it had expired, and harms rooms at that moment. */
  dropLease (member: string, losses: Losses): Promise<void>
  /** Ends a lease, and forgets the id, as when the node had died long ago. */
  forgetId (node: Registration): Promise<void>
  /** Deletes a binding, as a store does that loses it. */
  evict (room: RoomKey): Promise<void>
  /** Makes a binding unreadable. */
  spoil (room: RoomKey): Promise<void>
  /** Ends a settling, so that new rooms may be assigned at once. */
  skipSettling (): Promise<void>
}

export type TestStore = RedisTestStore | ZooKeeperTestStore

export type StoreName = TestStore['name']

/** A store, and a registry for the other processes that the runner acts as. */
export interface OpenStore {
  store: TestStore
  registry: Registry
  close (): Promise<void>
}

/** @throws TypeError if it is another store */
export function redisOf ({ store }: { store: TestStore }): RedisTestStore {
  if (store.name !== 'Redis') throw new TypeError('a rule for Redis')
  return store
}

/** @throws TypeError if it is another store */
export function zookeeperOf ({ store }: { store: TestStore }): ZooKeeperTestStore {
  if (store.name !== 'ZooKeeper') throw new TypeError('a rule for ZooKeeper')
  return store
}
