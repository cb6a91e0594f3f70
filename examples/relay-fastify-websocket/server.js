import Fastify from 'fastify'
import cobrowse, { memorySessions, staticProvision } from 'fastify-cobrowse'
import { joinCobrowse } from 'fastify-cobrowse/node'
import { openRegistry } from './registry.js'
import { addRelay } from './relay.js'

const port = Number(process.env.PORT ?? 3000)
const path = '/ws/cobrowse/1'
const publicUrl = process.env.PUBLIC_URL ?? `ws://127.0.0.1:${port}`
const signing = { keys: [{ id: 'sample', secret: process.env.COBROWSE_KEY ?? 'a sample key, for loopback alone' }] }

const { registry, closeRegistry } = openRegistry()
const sessions = memorySessions()
const app = Fastify({ logger: true, requestTimeout: 5000, http: { connectionsCheckingInterval: 1000 } })

await app.register(cobrowse, {
  sessions,
  registry,
  provision: staticProvision(publicUrl),
  signing,
  // Yours has to ask as well whether the call is that of the customer or the agent.
  authorize: (session, { userId, role }) =>
    session.userId === userId && (role === 'recorder' || session.channelId === 'desk')
})

// Browsers come as soon as the node is registered: the server has to listen before.
const joined = new Promise((resolve) => {
  app.addHook('onListen', async () => resolve(joinCobrowse({ registry, signing, wssUrl: publicUrl + path })))
})
await addRelay(app, { path, joined })

/** Stands for CC-Messaging, which issues the real tokens after a login of its own. */
app.post('/login', {
  schema: {
    body: {
      type: 'object',
      required: ['userId'],
      properties: { userId: { type: 'string', pattern: '^[A-Za-z0-9._:@-]{1,64}$' } }
    }
  }
}, async ({ body: { userId } }) => {
  const channelId = userId.startsWith('agent-') ? 'desk' : 'web'
  return { token: sessions.issue({ tenantId: 'example', channelId, userId }) }
})

await app.listen({ port, host: '127.0.0.1' })
// While the registry cannot be reached this throws, and the process ends.
const node = await joined
app.log.info({ id: node.id }, 'the relay node is registered')

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    // No new rooms; clients that are still inside after a minute are sent to other nodes.
    await node.drain({ deadline: Number(process.env.DRAIN_DEADLINE ?? 60_000), returnWithin: 2000 })
    await app.close()
    await closeRegistry()
  })
}
