import { joinCobrowse } from 'fastify-cobrowse/node'
import { openRegistry } from './registry.js'
import { startRelay } from './relay.js'

const port = Number(process.env.PORT ?? 8443)
const host = process.env.HOST ?? '127.0.0.1'
const { registry, closeRegistry } = openRegistry()

const { server, joined } = startRelay({ port, host }, () => joinCobrowse({
  registry,
  id: process.env.NODE_ID ?? 'node-1',
  wssUrl: process.env.WSS_URL ?? `ws://127.0.0.1:${port}/ws/cobrowse/1`,
  signing: { keys: [{ id: 'sample', secret: process.env.COBROWSE_KEY ?? 'a sample key, for loopback alone' }] }
}))

// While the port is taken, or the registry cannot be reached, this throws and the process ends.
const node = await joined
console.log(`${node.id} is registered, and listens at port ${port}`)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    // No new rooms; clients that are still inside after a minute are sent to other nodes.
    await node.drain({ deadline: Number(process.env.DRAIN_DEADLINE ?? 60_000), returnWithin: 2000 })
    server.close()
    await closeRegistry()
  })
}
