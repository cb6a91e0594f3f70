import { Redis } from 'ioredis'
import { DeadlineError } from '../../lib/common/deadline.js'
import { redisRegistry } from '../../lib/registry/redis.js'
import { silentLog } from './silent-log.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Test } from 'tap'
import type { RegistryTimes } from '../../types/contracts.js'
import type { BackendStatus, RedisRegistryOptions, RedisScripter, Registry } from '../../types/index.js'

/** Heartbeats that a busy machine can keep. */
export const FAST = { heartbeat: 200, lease: 1500, linger: 1 }
/**
 * Times for a contract in which no node dies: leases that no busy machine lets expire. A binding ends by its linger and
 * a lease, so a short linger needs a lease that is not long.
 */
export const timesOf = ({ linger }: RegistryTimes) => ({ heartbeat: 200, lease: linger === 1 ? 3000 : 30_000, linger })
/** Milliseconds after a short linger by which a binding of such registries has certainly ended. */
export const SLACK_MS = 3200

/** Any that is not missing: a Redis that has one does not settle. */
export const EPOCH = 'an-epoch-of-22-letters'

/** Makes a fresh Redis one that has settled long ago. */
export async function skipSettling (redis: { hset (...args: string[]): Promise<unknown> }, prefix = '{cobrowse}') {
  await redis.hset(`${prefix}:meta`, 'epoch', EPOCH)
}

/** A client with the defaults of ioredis, as a host may have it. */
export function connect (t: Test, port: number, options = {}): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', ...options })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

/** A registry that asks again where a busy machine was late, as callers do. */
export function makeRegistry (
  t: Test, redis: RedisScripter, options: Omit<RedisRegistryOptions, 'redis'> = {}
): Registry {
  return patient(makeHastyRegistry(t, redis, options))
}

/** A registry that asks once, for tests of its time limits. */
export function makeHastyRegistry (
  t: Test, redis: RedisScripter, options: Omit<RedisRegistryOptions, 'redis'> = {}
): Registry {
  const registry = redisRegistry({ redis, ...FAST, ...options })
  t.teardown(async () => await registry.close())
  return registry
}

/** Starts it; what it reports and complains about is gathered. */
export function watch (registry: Registry): { states: BackendStatus[], warnings: unknown[] } {
  const states: BackendStatus[] = []
  const warnings: unknown[] = []
  const log: FastifyBaseLogger = { ...silentLog, warn: (details: unknown) => { warnings.push(details) } }
  registry.start({ log, onState: (status) => { states.push(status) } })
  return { states, warnings }
}

/** Asks again, as a caller should, where a busy machine took longer than a call may. */
export function patient (registry: Registry): Registry {
  const { end } = registry
  return {
    ...registry,
    join: async (record) => await inTime(async () => await registry.join(record)),
    assign: async (room, options) => await inTime(async () => await registry.assign(room, options)),
    ...end !== undefined && {
      end: async (room, options) => { await inTime(async () => await end(room, options)) }
    }
  }
}

async function inTime<T> (ask: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await ask()
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined
      if (!(cause instanceof DeadlineError) || left === 0) throw error
    }
  }
}
