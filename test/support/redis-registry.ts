import { Redis } from 'ioredis'
import { DeadlineError } from '../../lib/common/deadline.js'
import { redisRegistry } from '../../lib/registry/redis.js'
import { silentLog } from './silent-log.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Test } from 'tap'
import type { BackendStatus, RedisRegistryOptions, RedisScripter, Registry } from '../../types/index.js'

/** Heartbeats that a busy machine can keep. */
export const FAST = { heartbeat: 200, lease: 1500, linger: 1 }
/** Time after which a binding of such a registry has certainly expired. */
export const GONE_AFTER_MS = 2700

/** Epoch of the tests; a Redis that has one does not settle. */
export const EPOCH = 'an-epoch-of-22-letters'

/** Makes a fresh Redis look as if it had settled long ago. */
export async function skipSettling (redis: { hset (...args: string[]): Promise<unknown> }, prefix = '{cobrowse}') {
  await redis.hset(`${prefix}:meta`, 'epoch', EPOCH)
}

/** Creates a client with the defaults of ioredis, as a host may have it. */
export function connect (t: Test, port: number, options = {}): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', ...options })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

export function makeRegistry (
  t: Test, redis: RedisScripter, options: Omit<RedisRegistryOptions, 'redis'> = {}
): Registry {
  const registry = redisRegistry({ redis, ...FAST, ...options })
  t.teardown(async () => await registry.close())
  return registry
}

/** Starts the registry, and collects its states and warnings. */
export function watch (registry: Registry): { states: BackendStatus[], warnings: unknown[] } {
  const states: BackendStatus[] = []
  const warnings: unknown[] = []
  const log: FastifyBaseLogger = { ...silentLog, warn: (details: unknown) => { warnings.push(details) } }
  registry.start({ log, onState: (status) => { states.push(status) } })
  return { states, warnings }
}

/** Asks again if a busy machine exceeds the request timeout, as callers do. */
export function patient (registry: Registry): Registry {
  const { end: release } = registry
  return {
    ...registry,
    assign: async (room, options) => await inTime(async () => await registry.assign(room, options)),
    ...release !== undefined && {
      end: async (room, options) => { await inTime(async () => await release(room, options)) }
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
