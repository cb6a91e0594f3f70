// A gateway: Fastify with the plugin as it was built, on HTTP.
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { cobrowse, memorySessions, ownUserIdOnly, redisRegistry, staticProvision } from '../../dist/lib/index.js'
import { beginChild } from './child.mjs'

const { settings, redisPort, user, note } = beginChild()
const { lease, heartbeat, linger, signing, path, releasePath } = settings
const redis = new Redis({ host: '127.0.0.1', port: redisPort, retryStrategy: () => 100 }).on('error', () => {})
const registry = redisRegistry({ redis, lease, heartbeat, linger })
const sessions = memorySessions()
const app = Fastify({ requestTimeout: 5000 })
await app.register(cobrowse, {
  sessions,
  registry: {
    ...registry,
    start: (context) => registry.start({
      ...context,
      onState (status) {
        note('state', status)
        context.onState(status)
      }
    })
  },
  provision: staticProvision('wss://relay.example'),
  signing,
  authorize: ownUserIdOnly,
  path,
  releasePath
})
await app.listen({ host: '127.0.0.1', port: 0 })
const token = sessions.issue({ tenantId: 'race', channelId: 'web', userId: user })
process.send({ port: app.server.address().port, token })
