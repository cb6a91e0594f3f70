import { hash } from 'node:crypto'
import { DeadlineError, isOver, withDeadline } from '../../common/deadline.js'
import { RegistryUnavailableError } from '../../errors.js'
import { AnsweredError } from '../../common/reason.js'
import { assertReachable, reconnectIfDemoted } from '../../common/redis-state.js'
import { newIncarnation } from '../nodes/node-record.js'
import { roomName } from '../../common/room-name.js'
import { UnreadableBindingError } from '../../common/unavailable.js'
import { createStoreMemory } from './memory.js'
import { UNREADABLE_BINDING } from './scripts/prelude.js'
import type { Ending } from '../../common/deadline.js'
import type { Clock } from '../../common/clock.js'
import type { Script } from './scripts/prelude.js'
import type { RedisScripter, RoomKey } from '../../../types/registry.js'

/** Milliseconds. */
export interface RedisTimes {
  lease: number
  heartbeat: number
  /** Time by which a binding outlives the last signature. */
  linger: number
}

/** Runs the scripts on the keys of one deployment. */
export interface RedisStore {
  /** The key of a room in a script: ids never become part of a key. */
  room (room: RoomKey): string
  /** The same key, from its last part. */
  keyOf (name: string): string
  /** The last part of a room's key. */
  nameOf (key: string): string
  /**
   * Runs a script. A call that failed may still have written.
   *
   * @throws `RegistryUnavailableError` with the cause, or the reason of the caller's signal
   */
  run (script: Script, call: ScriptCall): Promise<unknown>
  /** Takes the memory of an answer, to be sent with the next calls. */
  remember (memory: unknown): void
}

export interface ScriptCall {
  /** Epoch that a node knows; a gateway knows none. */
  epoch?: string
  args: Array<string | number>
  /** Keys made by `room`. */
  rooms?: string[]
  /** Time limit in milliseconds; left out, the caller of `run` has to limit the call. */
  ms?: number
  /** Ends the call earlier. */
  within?: Ending | undefined
}

export interface RedisStoreOptions {
  redis: RedisScripter
  prefix: string
  times: RedisTimes
  clock: Clock
  /** Called once if other processes have longer times, which are then in force. */
  onLongerTimes? (times: RedisTimes): void
}

const COMMON_KEYS = ['leases', 'nodes', 'meta', 'ids', 'releases', 'ended', 'orders', 'history']

export function createRedisStore ({ redis, prefix, times, clock, onLongerTimes }: RedisStoreOptions): RedisStore {
  const common = COMMON_KEYS.map((name) => `${prefix}:${name}`)
  let hasToldTimes = false
  const memory = createStoreMemory((inForce) => {
    const isLonger = inForce.lease > times.lease || inForce.heartbeat > times.heartbeat || inForce.linger > times.linger
    if (hasToldTimes || !isLonger) return
    hasToldTimes = true
    onLongerTimes?.(inForce)
  })

  async function send (script: Script, { epoch = '', args, rooms = [] }: ScriptCall, within?: Ending): Promise<unknown> {
    assertReachable(redis)
    const keys = [...common, ...rooms]
    const known = memory.text === '' ? epoch : `${epoch} ${memory.text}`
    const given = [...keys, known, newIncarnation(), times.lease, times.heartbeat, times.linger, ...args]
    try {
      return await redis.evalsha(script.sha1, keys.length, ...given)
    } catch (error) {
      reconnectIfDemoted(redis, error)
      if (!isReply(error, 'NOSCRIPT') || isOver(within)) throw error
    }
    return await load(script, keys, given)
  }

  /** A server forgets its scripts when it restarts. */
  async function load ({ text }: Script, keys: string[], given: Array<string | number>): Promise<unknown> {
    try {
      return await redis.eval(text, keys.length, ...given)
    } catch (error) {
      reconnectIfDemoted(redis, error)
      throw error
    }
  }

  const keyOf = (name: string) => `${prefix}:room:${name}`

  return {
    keyOf,
    remember: memory.take,
    nameOf: (key) => key.slice(keyOf('').length),
    room: (room) => keyOf(hash('sha256', roomName(room), 'base64url')),
    async run (script, call) {
      try {
        if (call.ms === undefined) return await send(script, call, call.within)
        return await withDeadline({ clock, ms: call.ms, within: call.within }, async (deadline) =>
          await send(script, call, deadline))
      } catch (cause) {
        throw isOver(call.within) ? call.within?.reason : new RegistryUnavailableError({ cause: toAnswer(cause) })
      }
    }
  }
}

/** The answer of Redis, if it answered and only its data is unusable; otherwise the error itself. */
export function toAnswer (cause: unknown): unknown {
  if (isReply(cause, UNREADABLE_BINDING)) return new UnreadableBindingError({ cause })
  if (isReply(cause, 'WRONGTYPE')) return new AnsweredError('a key in Redis is of a wrong type: WRONGTYPE', { cause })
  return cause
}

/** Describes an error in a few words that name no host, as messages of ioredis may. */
export function reasonOf (error: unknown): string {
  const cause = error instanceof RegistryUnavailableError ? error.cause : error
  if (cause instanceof DeadlineError) return 'Redis does not answer in time'
  if (isReply(error, 'WRONGTYPE')) return 'the list of nodes is of a wrong type'
  const code = cause instanceof Error && cause.name === 'ReplyError' ? /^[A-Z]+(?= |$)/.exec(cause.message) : null
  return code === null ? 'Redis cannot be reached' : `Redis refuses: ${code[0]}`
}

/** Searches the whole message, since before version 7 a preamble about the script precedes the code. */
export function isReply (error: unknown, code: string): boolean {
  const cause = error instanceof RegistryUnavailableError ? error.cause : error
  return cause instanceof Error && cause.message.includes(code)
}
