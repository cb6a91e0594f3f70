import t from 'tap'
import { eventually, until } from '../support/until.js'
import { startSite } from './start-site.js'

t.test('stats – of a connection that moved once – tell state, node, traffic and the last error', async (t) => {
  const site = await startSite(t)
  const customer = site.connect()
  t.match(customer.connection.stats(), { state: 'asking', url: undefined, reconnects: 0, lastError: undefined })
  await until(() => customer.messages.length > 0, 'the client is in the room')
  customer.connection.send('é')
  customer.connection.send(new Uint8Array(5))
  const { url, since, sent, received } = customer.connection.stats()
  t.match(url, /\/ws\/cobrowse\/\d$/)
  t.ok(Math.abs(since - Date.now()) < 60_000)
  t.strictSame(sent, { messages: 2, bytes: 7 })
  t.ok(received.messages > 0 && received.bytes > received.messages)

  await site.relays.get(Number(url?.at(-1)))?.close()
  await eventually(() => customer.connection.stats().reconnects, 1)
  const moved = customer.connection.stats()
  t.match(moved, { state: 'open', lastError: { code: 4410 }, sent: { messages: 2 } })
  t.not(moved.url, url)
})

t.test('reconnect – of an open connection – asks the gateway again at once', async (t) => {
  const site = await startSite(t, { nodes: 1 })
  const client = site.connect({ minWait: 60_000, maxWait: 60_000 })
  await until(() => client.messages.length > 0, 'the client is in the room')
  client.connection.reconnect()
  await eventually(() => client.connection.stats().reconnects, 1)
  t.strictSame(client.history, ['open', 'retry lost', 'open'])
  t.strictSame(client.waits, [0])
})

t.test('reconnect – during a long wait – ends the wait', async (t) => {
  const site = await startSite(t, { nodes: 0 })
  const client = site.connect({ minWait: 60_000, maxWait: 60_000 })
  await eventually(() => client.connection.state, 'waiting')
  client.connection.reconnect()
  await eventually(() => client.history.filter((it) => it.startsWith('retry')).length, 2)
})

t.test('reconnect – of a closed connection – does nothing', async (t) => {
  const site = await startSite(t)
  const client = site.connect()
  client.connection.close()
  await client.connection.closed
  client.connection.reconnect()
  t.equal(client.connection.state, 'closed')
  t.strictSame(client.history, ['closed'])
})

t.test('endCall – its signal aborts – throws, and the connection stays', async (t) => {
  const site = await startSite(t)
  const client = site.connect()
  await until(() => client.messages.length > 0, 'the client is in the room')
  await t.rejects(client.connection.endCall({ signal: AbortSignal.abort() }), { code: 'lost' })
  t.equal(client.connection.state, 'open')
})
