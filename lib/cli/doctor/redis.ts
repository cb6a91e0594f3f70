import { connectRedis, redisRegistryOn } from '../store.js'
import { judgeAddresses } from './addresses.js'
import { runCheck } from './check.js'
import { fault, notChecked } from './finding.js'
import { judgeNodes } from './nodes.js'
import { judgeOrders } from './orders.js'
import { checkClock } from './redis/clock.js'
import { judgeEpoch, judgeTimes, readMeta } from './redis/epoch.js'
import { judgeEviction } from './redis/eviction.js'
import { readInfo } from './redis/info.js'
import { judgePersistence } from './redis/persistence.js'
import { judgeReplicas } from './redis/replicas.js'
import { checkRights } from './redis/rights.js'
import { judgeRole, judgeServer } from './redis/server.js'
import { readConfig } from './redis/config.js'
import type { Redis } from 'ioredis'
import type { RedisAddress } from '../store.js'
import type { Finding } from './finding.js'
import type { ExpectedTimes } from './redis/epoch.js'

/** Checks Redis, and what the deployment keeps there. */
export async function checkRedis (address: RedisAddress, expected: ExpectedTimes): Promise<Finding[]> {
  let redis: Redis
  try {
    redis = await connectRedis(address)
  } catch (error) {
    return [
      fault('store', (error as Error).message, 'see CobrowseRegistryDown in docs/runbook.md'),
      notChecked('nodes', 'the store cannot be asked: neither nodes nor orders were read')
    ]
  }
  try {
    const groups = await Promise.all([
      runCheck('store', async () => await checkServer(redis, address)),
      runCheck('rights', async () => await checkRights(redis, address.prefix)),
      runCheck('clock', async () => await checkClock(redis)),
      runCheck('epoch', async () => await checkData(redis, address, expected))
    ])
    return groups.flat()
  } finally {
    redis.disconnect()
  }
}

async function checkServer (redis: Redis, { url }: RedisAddress): Promise<Finding[]> {
  const info = await readInfo(redis)
  if (info === undefined) {
    return (['store', 'role', 'eviction', 'persistence', 'replicas'] as const)
      .map((subject) => notChecked(subject, 'the user may not run INFO'))
  }
  const config = await readConfig(redis)
  return [
    judgeServer(info, url.host), judgeRole(info), judgeEviction(info), judgePersistence(info, config),
    judgeReplicas(info, config)
  ]
}

async function checkData (redis: Redis, address: RedisAddress, expected: ExpectedTimes): Promise<Finding[]> {
  const { operations } = await redisRegistryOn(redis, address)
  const meta = await readMeta(redis, address.prefix)
  // A script would begin an epoch, and this check changes nothing.
  const nodes = meta.epoch === undefined ? [] : await operations?.nodes() ?? []
  return [
    judgeEpoch(meta), judgeTimes(meta, expected), ...judgeNodes(nodes), ...judgeAddresses(nodes),
    ...judgeOrders(nodes, meta.now)
  ]
}
