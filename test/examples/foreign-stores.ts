import { Redis } from 'ioredis'
import { ID, TIMES } from './foreign-node.js'
import { skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { connectClient } from '../support/zookeeper-client.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { ForeignStore } from './foreign-node.js'
import type { MortalClient } from '../../lib/zookeeper-client/client.js'

/** A session that a busy machine keeps. */
const SESSION_MS = 3600

export const onRedis: ForeignStore = {
  name: 'Redis',
  without: withoutRedis,
  async start (t) {
    const { port } = await startRedis(t)
    const redis = new Redis(port, '127.0.0.1')
    t.teardown(() => redis.disconnect())
    await skipSettling(redis)
    return {
      port,
      options: { redis, ...TIMES },
      env: (proxyPort) => ({
        REDIS_URL: `redis://127.0.0.1:${proxyPort}`, LEASE: String(TIMES.lease), HEARTBEAT: String(TIMES.heartbeat)
      }),
      incarnation: async () => String(await redis.hget('{cobrowse}:ids', ID)).split('|')[0] ?? ''
    }
  }
}

export const onZooKeeper: ForeignStore = {
  name: 'ZooKeeper',
  without: withoutZooKeeper,
  async start (t) {
    const { port, hosts } = await startZooKeeper(t)
    const { client } = await connectClient(t, hosts)
    return {
      port,
      options: { zookeeper: hosts, lease: SESSION_MS, linger: TIMES.linger },
      env: (proxyPort) => ({ ZOOKEEPER: `127.0.0.1:${proxyPort}`, SESSION: String(SESSION_MS) }),
      incarnation: async () => await incarnationIn(client)
    }
  }
}

export async function incarnationIn (client: MortalClient): Promise<string> {
  return String((await client.get(`/cobrowse/ids/${ID}~`))?.data)
}
