import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import WebSocket from 'ws'
import { connect, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { ask, startExample } from './start-example.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Example } from './start-example.js'

const KEY = 'a key of the operator, long enough'
const IS_REGISTERED = /is registered/

async function open (t: Test, gateway: Example, userId: string, role: string, { autoPong = true } = {}) {
  const { body: { data } } = await ask(gateway, userId, role)
  const socket = new WebSocket(data.wssUrl, ['cobrowse.v1', data.signature], { autoPong })
  t.teardown(() => socket.terminate())
  const heard: string[] = []
  socket.on('message', (message) => heard.push(String(message)))
  const closed = once(socket, 'close').then(([code]) => code)
  await once(socket, 'open')
  return { socket, heard, closed, signature: data.signature, url: data.wssUrl }
}

/** Both sides of a room meet at the relay node, which is then stopped. */
async function testRelay (t: Test, gateway: Example, relay: Example): Promise<void> {
  const agent = await open(t, gateway, 'agent-1', 'replayer')
  t.equal(agent.socket.protocol, 'cobrowse.v1', 'the signature is not answered')
  const customer = await open(t, gateway, 'customer-1', 'recorder')
  customer.socket.send('sent right after the opening')
  await until(() => agent.heard.length > 0, 'the agent hears the customer')
  t.strictSame(agent.heard, ['sent right after the opening'])

  for (const [signature, code] of [['forged', 4401], [agent.signature, 4408]] as const) {
    const refused = new WebSocket(agent.url, ['cobrowse.v1', signature])
    t.teardown(() => refused.terminate())
    t.equal((await once(refused, 'close'))[0], code)
  }
  const stopped = relay.stop()
  t.strictSame(await Promise.all([agent.closed, customer.closed]), [4410, 4410], 'clients are sent to other nodes')
  t.equal(await stopped, 0)
}

t.test('gateway and relay node in one Fastify application – in memory – bring both sides together', async (t) => {
  const example = await startExample(t, 'relay-fastify-websocket/server.js', IS_REGISTERED, { DRAIN_DEADLINE: '0' })
  await testRelay(t, example, example)
})

t.test('the relay node with ws – beside a gateway in another process – meets it in Redis', {
  skip: withoutRedis
}, async (t) => {
  const redis = await startRedis(t)
  const client = connect(t, redis.port)
  await skipSettling(client)
  const env = { REDIS_URL: redis.url, COBROWSE_KEY: KEY, DRAIN_DEADLINE: '0' }
  const [relay, gateway] = await Promise.all([
    startExample(t, 'relay-ws/server.js', IS_REGISTERED, env),
    startExample(t, 'gateway/server.js', /Server listening/, env)
  ])
  await testRelay(t, gateway, relay)
  t.equal(await client.hlen('{cobrowse}:nodes'), 0, 'the node has left')
  t.equal(await gateway.stop(), 0)
})

t.test('either relay node – its port is taken – ends without having registered', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  const holder = createServer().listen(0, '127.0.0.1')
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const env = { REDIS_URL: redis.url, PORT: String((holder.address() as AddressInfo).port) }
  for (const path of ['relay-ws/server.js', 'relay-fastify-websocket/server.js']) {
    await t.rejects(startExample(t, path, IS_REGISTERED, env), /EADDRINUSE/)
  }
  t.equal(await connect(t, redis.port).exists('{cobrowse}:nodes'), 0, 'no browser is sent to them')
})

t.test('a relay node – that pings – keeps a client that answers, and ends one that does not', async (t) => {
  const example = await startExample(t, 'relay-fastify-websocket/server.js', IS_REGISTERED, { PING_INTERVAL: '200' })
  const agent = await open(t, example, 'agent-1', 'replayer')
  const customer = await open(t, example, 'customer-1', 'recorder', { autoPong: false })
  t.equal(await customer.closed, 1006)
  for (const count of [1, 2, 3]) {
    await once(agent.socket, 'ping')
    t.equal(agent.socket.readyState, WebSocket.OPEN, `ping ${count}`)
  }
})
