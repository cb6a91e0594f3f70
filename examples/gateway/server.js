import { join } from 'node:path'
import autoload from '@fastify/autoload'
import Fastify from 'fastify'

const app = Fastify({
  logger: true,
  // Callers that never end their request line or headers are cut off after 5 s.
  requestTimeout: 5000,
  http: { connectionsCheckingInterval: 1000 },
  // While the application closes, the plugin answers 50307.
  return503OnClosing: false,
  // The X-Forwarded headers of these addresses count, and of no others.
  trustProxy: process.env.TRUST_PROXY ?? false
})
await app.register(autoload, { dir: join(import.meta.dirname, 'plugins') })
await app.register(autoload, { dir: join(import.meta.dirname, 'routes') })
await app.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? '127.0.0.1' })

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
