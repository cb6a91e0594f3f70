import { Redis } from 'ioredis'
import { redisRegistry, zookeeperRegistry } from '../../../dist/lib/index.js'
import { noteRegistrations } from './noted-redis.mjs'

/** Creates the registry of one process of a race, connected through its own proxies. */
export function makeRegistry ({ store: { kind, ports }, settings: { lease, heartbeat, linger } }, note) {
  if (kind === 'zookeeper') {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
    return zookeeperRegistry({ hosts, sessionTimeout: lease, linger })
  }
  const redis = new Redis({ host: '127.0.0.1', port: ports[0], retryStrategy: () => 100 }).on('error', () => {})
  return redisRegistry({ redis: noteRegistrations(redis, note), lease, heartbeat, linger })
}
