import Fastify from 'fastify'
import cobrowse, { memoryRegistry, memorySessions, staticProvision } from 'fastify-cobrowse'
import relay, { UPGRADE_OPTIONS } from 'fastify-cobrowse/relay'

const port = Number(process.env.PORT ?? 3000)
const publicUrl = process.env.PUBLIC_URL ?? `ws://127.0.0.1:${port}`
const signing = { keys: [{ id: 'sample', secret: process.env.COBROWSE_KEY ?? 'a sample key, for loopback alone' }] }
const registry = memoryRegistry()
const sessions = memorySessions()
const http = { ...UPGRADE_OPTIONS, connectionsCheckingInterval: 1000 }
const app = Fastify({ logger: true, requestTimeout: 5000, http })

await app.register(cobrowse, {
  sessions,
  registry,
  provision: staticProvision(publicUrl),
  signing,
  // Yours has to ask as well whether the call is that of the customer or the agent.
  authorize: (session, { userId, role }) =>
    session.userId === userId && (role === 'recorder' || session.channelId === 'desk'),
  // The customer ends the call, too. Here every call is the customer's own.
  authorizeRelease: () => true
})
await app.register(relay, { registry, signing, id: 'node-1', wssUrl: `${publicUrl}/ws/cobrowse/1` })

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
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
