import t from 'tap'
import WebSocket from 'ws'
import { connect } from '../../lib/client/index.js'
import { elapse } from '../support/elapse.js'
import { eventually, until } from '../support/until.js'
import { startSite } from './start-site.js'
import type { Client } from './start-site.js'

const isIn = (client: Client) => client.messages.length > 0
const lastWord = (client: Client) => JSON.parse(client.messages.at(-1) ?? '{}')
const areTogether = async (...clients: Client[]) => await until(() => clients.every((client) =>
  client.connection.state === 'open' && lastWord(client).members?.length === clients.length))

t.test('two sides of a room – connected – receive each other’s messages', async (t) => {
  const site = await startSite(t)
  const customer = site.connect()
  t.equal(customer.connection.state, 'asking')
  t.notOk(customer.connection.send('too early'), 'send does not queue')
  const agent = site.connect({ userId: 'agent', role: 'replayer' })
  await areTogether(customer, agent)
  t.match(lastWord(agent).members, [{ user: 'u', role: 'recorder' }, { user: 'agent', role: 'replayer' }])
  t.ok(customer.connection.send('hello'))
  await until(() => agent.messages.includes('hello'))
  t.notOk(customer.messages.includes('hello'))
  t.ok(agent.connection.send(new Uint8Array([104, 105])))
  await until(() => customer.messages.includes('hi'))
  t.strictSame(customer.history, ['open'])
  t.equal(customer.connection.bufferedAmount, 0)
})

t.test('a node that leaves – both sides connected – is followed at once to the same other node', async (t) => {
  const site = await startSite(t)
  const clients = [site.connect(), site.connect({ userId: 'agent', role: 'replayer' })]
  await areTogether(...clients)
  const held = [...site.relays].find(([, relay]) => relay.status().seats === 2)?.[0]
  await site.relays.get(Number(held))?.close()
  await until(() => clients.every(({ history }) => history.filter((it) => it === 'open').length === 2))
  await areTogether(...clients)
  for (const { history, waits } of clients) {
    t.strictSame(history, ['open', 'retry 4410', 'open'])
    t.strictSame(waits, [0])
  }
})

t.test('a node that drains – several clients connected – gets them spread over time', async (t) => {
  const site = await startSite(t)
  const client = site.connect()
  const errors: Array<number | undefined> = []
  client.connection.on('retry', ({ error }) => errors.push(error.returnWithin))
  await until(() => isIn(client))
  const node = [...site.relays.values()].find((relay) => relay.status().seats === 1)
  await node?.drain({ deadline: 0, returnWithin: 200 })
  await eventually(() => client.history.length, 3)
  t.strictSame(client.history, ['open', 'retry 4410', 'open'])
  t.strictSame(errors, [200])
  t.ok(Number(client.waits[0]) <= 200)
})

t.test('a client – connection cut, or its node gone for a while – connects again', async (t) => {
  const site = await startSite(t, { nodes: 1 })
  const client = site.connect()
  await until(() => isIn(client))
  const [relay] = site.relays.values()
  site.relays.clear()
  relay?.cut()
  await until(() => client.history.includes('retry unopened'))
  t.equal(client.connection.state === 'open', false)
  t.notOk(client.connection.send('lost'))
  if (relay !== undefined) site.relays.set(1, relay)
  await eventually(() => client.connection.state, 'open')
  t.match(client.history.slice(0, 2), ['open', 'retry lost'])
})

t.test('the fallback address – preferred one unreachable – is tried once, without a wait', async (t) => {
  const site = await startSite(t)
  const client = site.connect({ address: 'wssUrlOut' })
  const urls: string[] = []
  client.connection.on('open', ({ url }) => urls.push(url))
  await until(() => isIn(client))
  t.strictSame(client.history, ['retry unopened', 'open'])
  t.strictSame(client.waits, [0])
  t.match(urls[0], /^ws:\/\/127\.0\.0\.1:\d+\/ws\/cobrowse\/[12]$/)
  for (const relay of site.relays.values()) relay.cut()
  await eventually(() => client.history.length, 4)
  t.strictSame(client.history.slice(2), ['retry lost', 'open'], 'the working address is used again')
})

t.test('a final error – from the gateway – ends the connection with its code and message', async (t) => {
  const site = await startSite(t)
  const ends = async (options: Parameters<typeof site.connect>[0]) => {
    const client = site.connect(options)
    const error = await client.connection.closed
    t.equal(client.connection.state, 'closed')
    t.strictSame(client.history, [`closed ${error?.code}`])
    return error
  }
  t.match(await ends({ token: site.tokenOf('another') }), { code: '40301', status: 403 })
  t.match(await ends({ roomId: 'no room' }), { code: '40001', message: /roomId/ })
  t.match(await ends({ token: 'nonsense' }), { code: '40102', name: 'CobrowseError' })
  t.match(await ends({ path: '/elsewhere' }), { code: 'bad-answer', status: 404 })
})

t.test('an expired token – rejected by the gateway – is renewed once', async (t) => {
  const site = await startSite(t)
  const asked: boolean[] = []
  const renewing = site.connect({
    async token (isRefused) {
      asked.push(isRefused)
      return isRefused ? site.tokenOf('u') : 'ended'
    }
  })
  await until(() => isIn(renewing))
  t.strictSame(asked, [false, true])
  t.strictSame(renewing.history, ['retry 40102', 'open'])
  const hopeless = site.connect({ token: async () => 'ended' })
  t.match(await hopeless.connection.closed, { code: '40102' })
  t.strictSame(hopeless.history, ['retry 40102', 'closed 40102'])
  const broken = site.connect({ token: async () => { throw new Error('the sign-in is unavailable') } })
  await until(() => broken.history.length > 1)
  t.equal(broken.history[0], 'retry unreachable')
})

t.test('a Retry-After header – no node available – is honoured, and the room opens once a node is there', async (t) => {
  const site = await startSite(t, { nodes: 0 })
  const client = site.connect()
  await until(() => client.waits.length > 0)
  t.equal(client.history[0], 'retry 50301')
  t.ok(Number(client.waits[0]) >= 1000)
})

t.test('a connection – closed or its signal aborted at any moment – does nothing more', async (t) => {
  const site = await startSite(t)
  const closing = site.connect()
  await until(() => isIn(closing))
  closing.connection.close()
  closing.connection.close()
  t.equal(await closing.connection.closed, undefined)
  t.notOk(closing.connection.send('late'))
  t.strictSame(closing.history, ['open', 'closed'])

  const before = site.connect({ signal: AbortSignal.abort() })
  t.equal(await before.connection.closed, undefined)
  t.strictSame(before.history, ['closed'])

  const controller = new AbortController()
  const waiting = site.connect({ signal: controller.signal, path: '/elsewhere', token: site.tokenOf('u') })
  waiting.connection.on('state', () => controller.abort())
  t.equal(await waiting.connection.closed, undefined, 'closed during the request')
  await elapse(50, 'time for a late answer to open the connection')
  t.equal([...site.relays.values()].reduce((seats, relay) => seats + relay.status().seats, 0), 0)
})

t.test('a platform WebSocket – no constructor in the options – is used', async (t) => {
  t.intercept(globalThis, 'WebSocket', { value: WebSocket })
  const site = await startSite(t)
  const client = site.connect({ WebSocket: undefined })
  await until(() => isIn(client))
  t.strictSame(client.history, ['open'])
})

t.test('an invalid option – given to connect – is named together with its rule', async (t) => {
  // Node.js has a global WebSocket from version 22.
  t.intercept(globalThis, 'WebSocket', { value: undefined })
  const options = { baseUrl: 'http://127.0.0.1:1', roomId: 'r', userId: 'u', userName: 'U', role: 'recorder', WebSocket }
  const wrong: Array<[object, RegExp]> = [
    [{ roomId: undefined }, /^"roomId" option of connect must be a string$/],
    [{ role: 'agent' }, /^"role" option of connect must be "recorder" or "replayer"$/],
    [{ baseUrl: undefined }, /^"baseUrl" option of connect must be given outside of a page$/],
    [{ baseUrl: 'gateway' }, /^"baseUrl" option of connect must be a URL such as/],
    [{ WebSocket: undefined }, /^"WebSocket" option of connect must be given here: pass that of ws$/],
    [{ timeout: 0 }, /^"timeout" option of connect must be an integer of at least 1, in milliseconds$/],
    [{ onmessage () {} }, /^connect has no option "onmessage"$/],
    [{ token: 7 }, /^"token" option of connect must be a string or a function$/]
  ]
  // The cast stands for a page written in JavaScript.
  const failing = (given: unknown) => () => connect(given as never).close()
  for (const [change, message] of wrong) {
    t.throws(failing({ ...options, ...change }), { name: 'TypeError', message })
  }
  t.throws(failing(undefined), /"roomId" option/)
})
