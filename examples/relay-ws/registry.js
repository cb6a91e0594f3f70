import { memoryRegistry, redisRegistry } from 'fastify-cobrowse'
import { Redis } from 'ioredis'

/** In Redis if `REDIS_URL` names one. In memory, a registry knows this process only. */
export function openRegistry () {
  if (process.env.REDIS_URL === undefined) return { registry: memoryRegistry(), async closeRegistry () {} }
  const redis = new Redis(process.env.REDIS_URL, {
    maxRetriesPerRequest: 1,
    connectTimeout: 500,
    socketTimeout: 1000,
    retryStrategy: (attempt) => Math.min(1000, attempt ** 2 * 10) * (0.5 + Math.random() / 2)
  })
  redis.on('error', (error) => console.warn('redis:', error.message))
  const registry = redisRegistry({ redis })
  return {
    registry,
    async closeRegistry () {
      await registry.close()
      redis.disconnect()
    }
  }
}
