import * as nodeRedis from 'redis'
import * as nodeRedis5 from '@redis/client5'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { Redis as Valkey } from 'iovalkey'
import { fromNodeRedis } from '../../lib/redis-client/node-redis.js'
import type { Test } from 'tap'
import type { RedisClient } from '../../types/index.js'

type Connect = (t: Test, port: number) => Promise<RedisClient>

interface Disconnecting {
  on (event: 'error', listener: () => void): unknown
  disconnect (): void
}

/** Keeps a client quiet, and closes it at the end of the test. */
function tame<T extends Disconnecting> (t: Test, client: T): T {
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

/** Each Redis client that the adapters work with. */
export const REDIS_CLIENTS: Record<string, Connect> = {
  'ioredis 6': async (t, port) => tame(t, new Redis(port, '127.0.0.1')),
  'ioredis 5': async (t, port) => tame(t, new Redis5(port, '127.0.0.1')),
  iovalkey: async (t, port) => tame(t, new Valkey(port, '127.0.0.1')),
  async 'node-redis 6' (t, port) {
    const client = nodeRedis.createClient({ socket: { port, host: '127.0.0.1' } }).on('error', () => {})
    t.teardown(() => client.destroy())
    return fromNodeRedis(await client.connect())
  },
  async 'node-redis 5' (t, port) {
    const client = nodeRedis5.createClient({ socket: { port, host: '127.0.0.1' } }).on('error', () => {})
    t.teardown(() => client.destroy())
    return fromNodeRedis(await client.connect())
  }
}
