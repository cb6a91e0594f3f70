import { createHash } from 'node:crypto'
import { memberOf } from '../../registry/nodes/member.js'
import { systemClock } from '../../common/clock.js'
import { withDeadline } from '../../common/deadline.js'
import { assertReachable } from '../../common/redis-state.js'
import { MAX_RECORD_BYTES } from '../../registry/nodes/node-record.js'
import { createRedisStore } from '../../registry/redis/store.js'
import { ASSIGN, END } from '../../registry/redis/scripts/gateway.js'
import { MOVE } from '../../registry/redis/scripts/operator.js'
import { MAX_TOLD, script } from '../../registry/redis/scripts/prelude.js'
import { isReply } from '../../registry/redis/store.js'
import { redisRegistry } from '../../registry/redis.js'
import { StoreUnavailable } from './result.js'
import { waitFor } from './wait.js'
import type { Script } from '../../registry/redis/scripts/prelude.js'
import type { RedisTimes, ScriptCall } from '../../registry/redis/store.js'
import type { RedisScripter, RoomKey } from '../../../types/registry.js'
import type { RedisData } from '../../../types/testing.js'
import type { CommonStore, OpenStore } from './store.js'

const CALL_MS = 5000
const NOW = script([], 'return ms(now)')
const PROBE = "return redis.call('EXISTS', KEYS[1])"
const PROBE_SHA1 = createHash('sha1').update(PROBE).digest('hex')
const COUNT_UNHEARD = script(['ID'], `
local own = ID .. '|' .. nameOf(ROOM)
return redis.call('ZLEXCOUNT', UNHEARD, '[' .. own .. '|', '(' .. own .. '}')
`)
const COUNT_ALL_UNHEARD = script(['ID'], `
return redis.call('ZLEXCOUNT', UNHEARD, '[' .. ID .. '|', '(' .. ID .. '}')
`)
/** Names no real room: no hash begins with so many zeros. */
const ADD_UNHEARD = script(['ID', 'COUNT'], `
for i = 1, tonumber(COUNT) do
  redis.call('ZADD', UNHEARD, 0, ID .. '|' .. string.format('%043d', i) .. '|' .. ms(now))
end
`)
const SPOIL = script([], "redis.call('SET', ROOM, 'unreadable', 'PX', ms(LINGER + LEASE))")
const RENEW = script(['MEMBER'], "redis.call('ZADD', LEASES, ms(now + LEASE), MEMBER)")
const FORGET_ID = script(['ID', 'MEMBER'], `
redis.call('ZREM', LEASES, MEMBER)
redis.call('HDEL', IDS, ID)
`)
const SETTLE = script(['FOR_MS'], `
settle(tonumber(FOR_MS), tonumber(FOR_MS))
`)

/** Redis, with further access of an operator. */
export interface RedisTestStore extends CommonStore {
  readonly name: 'Redis'
  /** Whether the node has not acknowledged the end of a call. */
  isEndUnheard (nodeId: string, room: RoomKey): Promise<boolean>
  /** Renews a lease in place of its node. */
  renewLease (member: string): Promise<void>
  /** Adds ends of calls that the node has not acknowledged: as many as fill so many answers. */
  endManyCalls (nodeId: string, answers: number): Promise<void>
  /** Number of ends that the node has not acknowledged. */
  unheardEnds (nodeId: string): Promise<number>
  /** The times in force, as `<lease> <heartbeat> <linger>`. */
  timesInForce (): Promise<string | null>
  /** Lets the store settle for so long: until then nodes that had lapsed leave rooms to the others. */
  settle (ms: number): Promise<void>
  /** Makes the store forget all scripts. @returns whether it has */
  flushScripts (): Promise<boolean>
  /** Deletes all data, as after a restart without persistence. */
  forget (rooms: readonly RoomKey[]): Promise<void>
}

export interface RedisStoreOptions {
  redis: RedisData
  prefix: string
  times: RedisTimes
}

/**
 * Makes the runner's scripts other ones than the node's. After SCRIPT FLUSH, a node's script stays unknown until the
 * node itself sends it.
 */
function createOwnScripter (redis: RedisData): RedisScripter {
  return {
    get status () {
      return redis.status
    },
    eval: async (text, ...args) => await redis.eval(`${text}\n-- checkNode`, ...args),
    evalsha: async () => { throw new Error('NOSCRIPT') }
  }
}

export function openRedis (options: RedisStoreOptions): OpenStore {
  const { redis, prefix, times: { linger, ...times } } = options
  const registry = redisRegistry({ redis: createOwnScripter(redis), prefix, ...times, linger: linger / 1000 })
  return { store: createRedisTestStore(options), registry, close: async () => {} }
}

function createRedisTestStore ({ redis, prefix, times }: RedisStoreOptions): RedisTestStore {
  const store = createRedisStore({ redis: createOwnScripter(redis), prefix, times, clock: systemClock })
  const key = (name: string) => `${prefix}:${name}`

  async function inTime<T> (work: () => Promise<T>): Promise<T> {
    try {
      assertReachable(redis)
      return await withDeadline({ clock: systemClock, ms: CALL_MS }, work)
    } catch (cause) {
      throw new StoreUnavailable('Redis', cause)
    }
  }

  async function run (script: Script, call: Omit<ScriptCall, 'ms'>): Promise<unknown> {
    return await inTime(async () => await store.run(script, { ms: CALL_MS, ...call }))
  }
  const now = async () => Number(await run(NOW, { args: [] }))

  /** Whether the server that has the keys knows a script that nobody else sends. */
  async function knowsScripts (): Promise<boolean> {
    return await inTime(async () => await redis.evalsha(PROBE_SHA1, 1, key('meta')).then(() => true, (error: unknown) => {
      if (isReply(error, 'NOSCRIPT')) return false
      throw error
    }))
  }

  const evict = async (room: RoomKey) => { await inTime(async () => await redis.del(store.room(room))) }
  const isEndUnheard = async (nodeId: string, room: RoomKey) =>
    Number(await run(COUNT_UNHEARD, { args: [nodeId], rooms: [store.room(room)] })) > 0
  const endCall = async (room: RoomKey) => { await run(END, { args: [], rooms: [store.room(room)] }) }

  return {
    name: 'Redis',
    place: `the prefix "${prefix}"`,
    now,
    epoch: async () => await inTime(async () => await redis.hget(key('meta'), 'epoch')),
    async registration (id) {
      const registered = await inTime(async () => await redis.hget(key('ids'), id))
      if (registered === null) return null
      // Gateways ignore the parts after the incarnation.
      const [incarnation = ''] = registered.split('|')
      const member = memberOf({ id, incarnation })
      const [ends, record, present] = await Promise.all([
        inTime(async () => await redis.zscore(key('leases'), member)),
        inTime(async () => await redis.hget(key('nodes'), member)),
        now()
      ])
      const leaseEnds = Number(ends ?? 0)
      const renewedAt = leaseEnds - times.lease
      return { id, incarnation, member, renewedAt, leaseEnds, isAlive: leaseEnds > present, record }
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
      const answer = await run(ASSIGN, { args: [MAX_RECORD_BYTES, 1, member, ''], rooms: [store.room(room)] })
      // ASSIGN documents this type.
      const [issuedAt, , [outcome], [chosen = '']] = answer as [number, string, [string, number], string[]]
      return { outcome, member: chosen, issuedAt: Number(issuedAt) }
    },
    endCall,
    async move (room) {
      await run(MOVE, { args: ['', '{}'], rooms: [store.room(room)] })
    },
    async hasGivenUp (nodeId, room) {
      return !await isEndUnheard(nodeId, room)
    },
    isEndUnheard,
    async dropLease (member, { rival, taken, ended, evicted }) {
      // All commands are sent at once, so that no heartbeat comes between.
      await Promise.all([
        inTime(async () => await redis.zrem(key('leases'), member)),
        ...taken.map(async (room) => await rival.claim(room)),
        ...ended.map(endCall),
        ...evicted.map(evict)
      ])
    },
    async forgetId ({ id, member }) {
      await run(FORGET_ID, { args: [id, member] })
    },
    async renewLease (member) {
      await run(RENEW, { args: [member] })
    },
    evict,
    async spoil (room) {
      await run(SPOIL, { args: [], rooms: [store.room(room)] })
    },
    async endManyCalls (nodeId, answers) {
      await run(ADD_UNHEARD, { args: [nodeId, answers * MAX_TOLD] })
    },
    unheardEnds: async (nodeId) => Number(await run(COUNT_ALL_UNHEARD, { args: [nodeId] })),
    timesInForce: async () => await inTime(async () => await redis.hget(key('meta'), 'times')),
    async settle (ms) {
      await run(SETTLE, { args: [ms] })
    },
    async flushScripts () {
      await inTime(async () => await redis.eval(PROBE, 1, key('meta')))
      // A client of a Cluster sends this to any of the servers.
      return await waitFor(async () => {
        await inTime(async () => await redis.script('FLUSH'))
        return !await knowsScripts()
      }, CALL_MS) === true
    },
    async forget (rooms) {
      const common = ['meta', 'leases', 'nodes', 'ids', 'releases', 'ended', 'orders', 'history'].map(key)
      await inTime(async () => await redis.del(...common, ...rooms.map(store.room)))
    },
    async skipSettling () {
      await inTime(async () => await redis.hset(key('meta'), 'settledAt', '0', 'yieldUntil', '0'))
    }
  }
}
