import { memberOf } from '../../registry/nodes/member.js'
import { systemClock } from '../../common/clock.js'
import { withDeadline } from '../../common/deadline.js'
import { MAX_RECORD_BYTES } from '../../registry/nodes/node-record.js'
import { createRedisStore } from '../../registry/redis/store.js'
import { ASSIGN, END } from '../../registry/redis/scripts/gateway.js'
import { script } from '../../registry/redis/scripts/prelude.js'
import type { RedisTimes } from '../../registry/redis/store.js'
import type { RoomKey } from '../../../types/registry.js'
import type { RedisData } from '../../../types/testing.js'

const CALL_MS = 5000
const NOW = script([], 'return ms(now)')
const COUNT_UNHEARD = script(['ID'], `
local own = ID .. '|' .. nameOf(ROOM)
return redis.call('ZLEXCOUNT', UNHEARD, '[' .. own .. '|', '(' .. own .. '}')
`)

/** One registration in the store. */
export interface Registration {
  id: string
  incarnation: string
  /** `<id>|<incarnation>` */
  member: string
  /** Milliseconds, by the store's clock; 0 if there is no lease. */
  leaseEnds: number
  isAlive: boolean
  record: string | null
}

/** One room in the store. */
export interface Binding {
  text: string
  epoch: string
  member: string
  state: string
}

export interface Assigned {
  outcome: string
  member: string
  issuedAt: number
}

/** The store, with the access of a gateway and an operator. */
export interface TestStore {
  /** Milliseconds, by the store's clock. */
  now (): Promise<number>
  epoch (): Promise<string | null>
  /** Current registration of a node. */
  registration (id: string): Promise<Registration | null>
  /** Members of all living nodes. */
  members (): Promise<string[]>
  binding (room: RoomKey): Promise<Binding | null>
  /** Remaining milliseconds of a binding. */
  bindingLasts (room: RoomKey): Promise<number>
  /** Assigns the room as a gateway does. */
  assign (room: RoomKey, member: string): Promise<Assigned>
  /** Ends the call as a gateway does. */
  endCall (room: RoomKey): Promise<void>
  /** Whether the node has not acknowledged the end of a call. */
  isEndUnheard (nodeId: string, room: RoomKey): Promise<boolean>
  /** Ends a lease at once, as if it had expired. */
  dropLease (member: string): Promise<void>
  /** Deletes all data, as after a restart without persistence. */
  forget (rooms: readonly RoomKey[]): Promise<void>
  /** Ends the settling, so that new rooms may be assigned at once. */
  skipSettling (): Promise<void>
}

export interface TestStoreOptions {
  redis: RedisData
  prefix: string
  times: RedisTimes
}

/** Creates a store whose methods throw if it does not answer. */
export function createTestStore ({ redis, prefix, times }: TestStoreOptions): TestStore {
  const store = createRedisStore({ redis, prefix, times, clock: systemClock })
  const key = (name: string) => `${prefix}:${name}`
  const inTime = async <T>(work: () => Promise<T>): Promise<T> =>
    await withDeadline({ clock: systemClock, ms: CALL_MS }, work)
  const now = async () => Number(await store.run(NOW, { args: [], ms: CALL_MS }))

  return {
    now,
    epoch: async () => await inTime(async () => await redis.hget(key('meta'), 'epoch')),
    async registration (id) {
      const registered = await inTime(async () => await redis.hget(key('ids'), id))
      if (registered === null) return null
      // Gateways ignore the parts after the incarnation.
      const [incarnation = ''] = registered.split('|')
      const member = memberOf({ id, incarnation })
      const [ends, record, present] = await inTime(async () => await Promise.all([
        redis.zscore(key('leases'), member), redis.hget(key('nodes'), member), now()
      ]))
      const leaseEnds = Number(ends ?? 0)
      return { id, incarnation, member, leaseEnds, isAlive: leaseEnds > present, record }
    },
    async members () {
      const from = `(${await now()}`
      return await inTime(async () => await redis.zrangebyscore(key('leases'), from, '+inf'))
    },
    async binding (room) {
      const text = await inTime(async () => await redis.get(store.room(room)))
      if (text === null) return null
      const [epoch = '', id = '', incarnation = '', state = ''] = text.split('|')
      return { text, epoch, member: memberOf({ id, incarnation }), state }
    },
    bindingLasts: async (room) => await inTime(async () => await redis.pttl(store.room(room))),
    async assign (room, member) {
      const args = [MAX_RECORD_BYTES, 1, member]
      const answer = await store.run(ASSIGN, { args, rooms: [store.room(room)], ms: CALL_MS })
      // ASSIGN documents this type.
      const [issuedAt, , [outcome], [chosen = '']] = answer as [number, string, [string, number], string[]]
      return { outcome, member: chosen, issuedAt: Number(issuedAt) }
    },
    async endCall (room) {
      await store.run(END, { args: [], rooms: [store.room(room)], ms: CALL_MS })
    },
    async isEndUnheard (nodeId, room) {
      return Number(await store.run(COUNT_UNHEARD, { args: [nodeId], rooms: [store.room(room)], ms: CALL_MS })) > 0
    },
    async dropLease (member) {
      await inTime(async () => await redis.zrem(key('leases'), member))
    },
    async forget (rooms) {
      const common = ['meta', 'leases', 'nodes', 'ids', 'releases', 'ended'].map(key)
      await inTime(async () => await redis.del(...common, ...rooms.map(store.room)))
    },
    async skipSettling () {
      await inTime(async () => await redis.hset(key('meta'), 'settledAt', '0', 'yieldUntil', '0'))
    }
  }
}
