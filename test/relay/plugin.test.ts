import { once } from 'node:events'
import Fastify from 'fastify'
import { Registry as MetricsRegistry } from 'prom-client'
import t from 'tap'
import WebSocket from 'ws'
import { memoryRegistry } from '../../lib/registry/memory.js'
import relay from '../../lib/relay/index.js'
import { issuerWith } from '../support/issuer.js'
import { eventually, until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { RelayOptions } from '../../lib/relay/index.js'

const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
const issue = issuerWith(signing)

async function startApp (t: Test, nodes: Array<Partial<RelayOptions>>) {
  const app = Fastify()
  const registry = memoryRegistry()
  t.teardown(async () => await app.close())
  for (const [at, options] of nodes.entries()) {
    const id = `n${at}`
    await app.register(relay, { registry, signing, id, wssUrl: `ws://127.0.0.1:8443/ws/${id}`, ...options })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  await eventually(() => app.cobrowseRelays.size, nodes.length)

  async function connect (path: string, room = 'r'): Promise<WebSocket> {
    const { node, issuedAt } = await registry.assign({ tenant: 't', room })
    const signature = issue({ tenant: 't', room, user: 'u', name: 'U', role: 'recorder', node, issuedAt })
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['cobrowse.v1', signature])
    t.teardown(() => socket.terminate())
    return socket
  }
  return { app, port, connect, registry }
}

t.test('the plugin – one application, two nodes – serves each at its path', async (t) => {
  const { app, connect } = await startApp(t, [{}, { path: '/other' }])
  t.strictSame([...app.cobrowseRelays.keys()], ['n0', 'n1'])
  const first = await connect('/ws/n0')
  const second = await connect('/other')
  const closes = [first, second].map(async (socket) => (await once(socket, 'close'))[0])
  // The room is on one of the two, and the other one refuses the signature.
  await until(() => [...app.cobrowseRelays.values()].some((node) => node.status().seats === 1), 'a client is admitted')
  t.equal(await Promise.race(closes), 4401)
})

t.test('the plugin – a handshake at an unknown path – answers 404, and plain requests go on', async (t) => {
  const { app, port, connect } = await startApp(t, [{}])
  const socket = await connect('/nowhere')
  const [error] = await once(socket, 'error')
  t.match(error.message, /404/)
  const response = await fetch(`http://127.0.0.1:${port}/nowhere`)
  t.equal(response.status, 404)
  t.equal(app.cobrowseRelays.get('n0')?.status().seats, 0)
})

t.test('the plugin – the application closes – tells its clients to ask again, and leaves the registry', async (t) => {
  const { app, connect, registry } = await startApp(t, [{}])
  const socket = await connect('/ws/n0')
  await eventually(() => app.cobrowseRelays.get('n0')?.status().seats, 1)
  const closed = once(socket, 'close')
  await app.close()
  const [code, reason] = await closed
  t.match([code, String(reason)], [4410, /within 2000 ms/])
  t.strictSame(registry.nodes(), [])
})

t.test('the plugin – wrong options – fails at registration, and names them', async (t) => {
  const registry = memoryRegistry()
  const good = { registry, signing, id: 'n', wssUrl: 'ws://127.0.0.1:8443/ws' }
  const wrong: Array<[object, RegExp]> = [
    [{ id: undefined }, /"id" option of fastify-cobrowse\/relay must be 1 to 64/],
    [{ wssUrl: 'http://x' }, /wssUrl/],
    [{ path: 'ws' }, /"path" option of fastify-cobrowse\/relay must be a path/],
    [{ pingInterval: 0 }, /"pingInterval" option .* must be an integer from 100/],
    [{ drain: { deadline: -1 } }, /"deadline" option of drain/],
    [{ seats: 3 }, /"seats" is not an option of fastify-cobrowse\/relay/]
  ]
  for (const [change, message] of wrong) {
    const app = Fastify()
    app.register(relay, { ...good, ...change })
    await t.rejects(async () => await app.ready(), { name: 'TypeError', message })
  }
  const app = Fastify()
  app.register(relay, good).register(relay, { ...good, id: 'm' })
  await t.rejects(async () => await app.ready(), /two relay nodes of one server have the path \/ws/)
})

t.test('the plugin – Prometheus asks – shows connections, messages and bytes of each node', async (t) => {
  const metrics = new MetricsRegistry()
  const { app, connect } = await startApp(t, [{ metrics }])
  const socket = await connect('/ws/n0')
  await eventually(() => app.cobrowseRelays.get('n0')?.status().seats, 1)
  socket.send('four')
  await eventually(async () => await metrics.metrics(), /cobrowse_relay_bytes_total\{node="n0",role="recorder"\} 4/)
  const text = await metrics.metrics()
  t.match(text, /cobrowse_relay_connections\{node="n0"\} 1/)
  t.match(text, /cobrowse_relay_messages_total\{node="n0",role="replayer"\} 0/)
  t.match(text, /cobrowse_relay_disconnects_total\{node="n0",reason="slow"\} 0/)
  await app.close()
  t.notMatch(await metrics.metrics(), /cobrowse_relay_connections\{/)
})
