'use strict'

// Start: `npm start`, or `node examples/commonjs/server.js` in a clone. It asks itself once, and then serves.
//
// The package is an ES module: `require` loads it on Node.js 20.19 or newer, and 22.12 or newer.
const Fastify = require('fastify')
const { cobrowse, memoryRegistry, memorySessions, ownUserIdOnly, staticProvision } = require('fastify-cobrowse')

const app = Fastify({ logger: true, requestTimeout: 5000, http: { connectionsCheckingInterval: 1000 } })
const sessions = memorySessions()

app.register(cobrowse, {
  sessions,
  registry: memoryRegistry({ nodes: [{ id: 'node-1', wssUrl: 'wss://10.1.2.3:8443/ws/cobrowse/1' }] }),
  provision: staticProvision('wss://relay.example'),
  signing: { keys: [{ id: 'sample', secret: process.env.COBROWSE_KEY ?? 'a sample key, for loopback alone' }] },
  authorize: ownUserIdOnly
})

async function main () {
  await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
  const response = await app.inject({
    method: 'POST',
    url: '/service-cloud/rest/webadapter/v1/connectionInfo/getConnectionInfo',
    // CC-Messaging issues the real tokens.
    headers: { 'ccmessaging-token': sessions.issue({ tenantId: 'example', channelId: 'web', userId: 'customer-1' }) },
    payload: { roomId: 'r1', userId: 'customer-1', userName: 'Li Na', role: 'recorder' }
  })
  console.log(response.body)
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
main()
