import { Type } from '@sinclair/typebox'
import { systemClock } from '../common/clock.js'
import { takesDeadline } from '../common/adapter-call.js'
import { createAdapterState } from '../common/adapter-state.js'
import { checkOptions, FunctionOption, ObjectWithMethods } from '../common/check-options.js'
import { RegistryUnavailableError } from '../errors.js'
import { DeadlineError, isOver, isOwnBacklog, withinDeadline } from '../common/deadline.js'
import { createMemberships } from './membership/memberships.js'
import { MAX_NODES, parseRecord } from './nodes/node-entry.js'
import { assertSize, checkNodeRecord } from './nodes/node-record.js'
import { createAssigner } from './redis/assigner.js'
import { createRedisStore, isReply, reasonOf } from './redis/store.js'
import { createEvictionCheck } from './redis/eviction.js'
import { END } from './redis/scripts/gateway.js'
import { locateListed } from './redis/listed.js'
import { createRedisNode } from './redis/node-store.js'
import { createRedisOperations } from './redis/operations.js'
import { leasedPages, listedPages } from './redis/pages.js'
import { createRedisView } from './redis/view.js'
import { createRepeater, jittered } from '../common/repeater.js'
import { createChooser } from './nodes/chooser.js'
import { unavailable } from '../common/unavailable.js'
import type { Clock } from '../common/clock.js'
import type { RedisTimes } from './redis/store.js'
import type { CallOptions } from '../common/adapter-call.js'
import type { ChoiceOptions } from './nodes/chooser.js'
import type { RedisRegistryOptions, Registry, RoomKey } from '../../types/registry.js'

const ASSIGN_MS = 300
/** Gateways set a shorter limit of their own; operators have time. */
const END_MS = 2000

const whole = (minimum: number, maximum: number, unit: string) => Type.Integer({
  minimum, maximum, description: `an integer from ${minimum} to ${maximum}, in ${unit}`
})
const Options = Type.Object({
  redis: ObjectWithMethods('an ioredis client', 'eval', 'evalsha'),
  prefix: Type.Optional(Type.String({
    pattern: '^[^{]*\\{[^}]+\\}', description: 'a string with a {tag}, which holds all keys in one slot of a Cluster'
  })),
  heartbeat: Type.Optional(whole(20, 30_000, 'milliseconds')),
  lease: Type.Optional(whole(40, 300_000, 'milliseconds')),
  linger: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1, in seconds' })),
  listed: Type.Optional(Type.Union([
    Type.Object({ hash: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
    Type.Object({ keys: Type.String({ minLength: 1, pattern: '^[^*?[\\]\\\\]+$' }) }, { additionalProperties: false })
  ], { description: 'an object { hash } or { keys }, where keys is how they begin, without a pattern' })),
  parse: Type.Optional(FunctionOption('a function (text, id) => record')),
  history: Type.Optional(Type.Boolean({ description: 'true or false' }))
}, { additionalProperties: false })

/**
 * The nodes of any number of processes, and their rooms, in one Redis.
 *
 * @throws TypeError that names the option and the rule
 */
export function redisRegistry (options: RedisRegistryOptions): Registry {
  return createRedisRegistry(options, systemClock)
}

/** Creates a `redisRegistry` on another clock. */
export function createRedisRegistry (options: RedisRegistryOptions, clock: Clock): Registry {
  checkOptions('redisRegistry', Options, options)
  const {
    redis, prefix = '{cobrowse}', heartbeat = 2000, lease = 6000, linger = 20, history: keepsHistory = true,
    parse = parseRecord, listed
  } = options
  if (lease < 2 * heartbeat) {
    throw new TypeError('"lease" option of redisRegistry must be at least twice the "heartbeat" option')
  }
  const times = { lease, heartbeat, linger: linger * 1000 }
  const listedAt = listed && locateListed(listed, redis, prefix)
  const store = createRedisStore({
    redis, prefix, times, clock, onLongerTimes: tellLongerTimes
  })
  const chooser = createChooser({ reportAge: heartbeat })
  const memberships = createMemberships(clock)
  let hasWarned = false
  const poller = createRepeater(clock, async () => {
    await poll()
    return jittered(heartbeat)
  })

  const state = createAdapterState({
    open: () => poller.start(),
    async end () {
      poller.stop()
      await memberships.leaveAll()
    },
    viewAgeMs: () => view.ageMs()
  })
  const view = createRedisView({
    readPages: listedAt === undefined ? leasedPages(store) : listedPages(store, listedAt),
    parse,
    clock,
    log: () => state.log,
    onRejected: state.rejectRecord,
    onRead: (nodes) => chooser.update(nodes, clock.monotonic())
  })
  const checkEviction = createEvictionCheck(store, () => state.log)
  const assigner = createAssigner({ store, view, chooser, clock, listed: listedAt, keepsHistory })

  async function poll (): Promise<void> {
    try {
      await view.poll()
      checkEviction(view.epoch()).catch(() => {})
      if (view.nodes().length === 0) warnOfNoneListed()
      if (view.settlingMs() > 0) state.set('degraded', 'settling: no new rooms yet')
      else if (!view.isCut()) state.set('up')
      else state.set('degraded', `more than ${MAX_NODES} nodes: only the first are read`)
    } catch (error) {
      if (isOwnBacklog(error)) return
      state.set(isReply(error, 'WRONGTYPE') ? 'degraded' : 'down', reasonOf(error))
    }
  }

  /** Warns by `process.emitWarning` if there is no log, as in the process of a node. */
  function tellLongerTimes (longer: RedisTimes): void {
    const message = 'redisRegistry has shorter times than other processes: the longest are in force'
    if (state.log !== undefined) state.log.warn({ own: times, inForce: longer }, message)
    else process.emitWarning(`${message} (own ${JSON.stringify(times)}, in force ${JSON.stringify(longer)})`)
  }

  // A misspelt name is no error for Redis.
  function warnOfNoneListed (): void {
    if (listedAt !== undefined && !hasWarned) state.log?.warn({ listed: listedAt }, 'Redis lists no node there')
    hasWarned = true
  }

  function assertOpen (): void {
    if (state.isClosed) throw unavailable('the registry is closed')
  }

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    linger,
    assign: takesDeadline(async (room: RoomKey, options: CallOptions & ChoiceOptions = {}) => {
      const within = options.signal
      assertOpen()
      try {
        return await withinDeadline({ clock, ms: ASSIGN_MS, within }, (deadline) => {
          // Without a `start` no timer reads the nodes.
          if (!poller.isOn() && (view.ageMs() ?? 0) > heartbeat) poll().catch(() => {})
          return assigner.assign(room, options, deadline)
        })
      } catch (cause) {
        throw cause instanceof DeadlineError && !isOver(within) ? new RegistryUnavailableError({ cause }) : cause
      }
    }),
    end: takesDeadline(async (room: RoomKey, options: CallOptions = {}) => {
      assertOpen()
      await store.run(END, { args: [], rooms: [store.room(room)], ms: END_MS, within: options.signal })
    }),
    nodes: view.nodes,
    operations: createRedisOperations({ store, listed: listedAt, parse }),
    async join (record) {
      if (listed !== undefined) {
        throw new TypeError('"listed" option of redisRegistry: another program registers its nodes')
      }
      const checked = checkNodeRecord(record?.id, record)
      assertSize(checked)
      assertOpen()
      const membership = await memberships.join(createRedisNode(store, times), checked)
      // The registry may have been closed during the join.
      if (state.isClosed) await membership.leave()
      assertOpen()
      return membership
    }
  }
}
