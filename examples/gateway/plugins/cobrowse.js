import cobrowse, { memoryRegistry, memorySessions, redisRegistry, staticProvision } from 'fastify-cobrowse'
import fp from 'fastify-plugin'
import { Redis } from 'ioredis'

export default fp(async (app) => {
  const sessions = memorySessions()
  app.decorate('tokens', sessions)

  await app.register(cobrowse, {
    sessions,
    registry: openRegistry(app),
    provision: staticProvision('wss://relay.example'),
    signing: { keys: [{ id: 'sample', secret: process.env.COBROWSE_KEY ?? 'a sample key, for loopback alone' }] },
    authorize: mayEnter,
    readyDelay: Number(process.env.READY_DELAY ?? 0),
    routeOptions: { config: { rateLimit: { max: 60, timeWindow: '1 minute' } } }
  })
  // These two see the routes that are added after them: @fastify/autoload registers them before.
}, { name: 'cobrowse', dependencies: ['rate-limit', 'swagger'] })

/** Yours has to ask as well whether the call `roomId` is that of the customer or the agent. */
function mayEnter (session, { userId, role }) {
  return session.userId === userId && (role === 'recorder' || session.channelId === 'desk')
}

function openRegistry (app) {
  if (process.env.REDIS_URL === undefined) {
    return memoryRegistry({ nodes: [{ id: 'node-1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' }] })
  }
  const redis = new Redis(process.env.REDIS_URL, {
    maxRetriesPerRequest: 1,
    connectTimeout: 500,
    socketTimeout: 1000,
    retryStrategy: (attempt) => Math.min(1000, attempt ** 2 * 10) * (0.5 + Math.random() / 2)
  })
  redis.on('error', (error) => app.log.debug({ reason: error.message }, 'redis'))
  app.addHook('onClose', () => redis.disconnect())
  return redisRegistry({ redis })
}
