import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import WebSocket from 'ws'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { startRelay } from '../../lib/relay/index.js'
import { issuerWith } from '../support/issuer.js'
import { eventually, until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { RelayMember, StartRelayOptions } from '../../lib/relay/index.js'
import type { Role } from '../../types/index.js'

const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
const MIB = 1024 * 1024

async function startNode (t: Test, options: Partial<StartRelayOptions> = {}) {
  const registry = memoryRegistry()
  const relay = await startRelay({ id: 'n', wssUrl: 'wss://n.example/ws', registry, signing, ...options })
  const server = createServer().on('upgrade', relay.upgrade)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const sockets: WebSocket[] = []
  t.teardown(async () => {
    for (const socket of sockets) socket.terminate()
    await relay.close()
    server.close()
  })
  const issue = issuerWith(signing)

  async function sign (role: Role, user: string): Promise<string> {
    const room = { tenant: 't', room: 'r' }
    const { node, issuedAt } = await registry.assign(room)
    return issue({ ...room, user, name: user.toUpperCase(), role, node, issuedAt })
  }

  /** Waits until the client has received the list of participants. */
  async function enter (role: Role, user: string = role) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['cobrowse.v1', await sign(role, user)])
    sockets.push(socket)
    const greetings: Array<{ you: number, recorder: number | null, members: RelayMember[] }> = []
    const heard: Buffer[] = []
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) heard.push(data)
      else if (String(data) !== '{"type":"alive"}') greetings.push(JSON.parse(data.toString()))
    })
    await until(() => greetings.length > 0)
    return { socket, greetings, heard, texts: () => heard.map(String) }
  }
  return { relay, port, sign, enter }
}

t.test('a client that does not read – is dropped, and costs the others nothing', async (t) => {
  const { enter } = await startNode(t, { maxBufferedBytes: 16 * MIB })
  const [sender, reader, sleeper] = [await enter('recorder'), await enter('replayer', 'a'), await enter('replayer', 'b')]
  sleeper.socket.pause()
  for (let number = 1; number <= 64; number++) {
    sender.socket.send(Buffer.alloc(MIB, number))
    await until(() => reader.heard.length === number, 'the reader to receive it')
  }
  let code: number | undefined
  sleeper.socket.on('close', (number) => { code = number }).resume()
  t.equal(await until(() => code, 'the end of the client'), 1006, 'cut off')
  t.equal(reader.socket.readyState, reader.socket.OPEN)
  t.equal(sender.socket.readyState, sender.socket.OPEN)
})

t.test('a message that is too large – costs its sender only', async (t) => {
  const { enter } = await startNode(t)
  const [sender, reader] = [await enter('recorder'), await enter('replayer')]
  sender.socket.send(Buffer.alloc(4 * MIB + 1))
  const [code] = await once(sender.socket, 'close')
  t.equal(code, 1009)
  t.equal(reader.socket.readyState, reader.socket.OPEN)
  t.strictSame(reader.heard, [])
})

t.test('every participant – on each arrival and departure – receives the list of participants', async (t) => {
  const { enter, relay } = await startNode(t)
  const customer = await enter('recorder')
  const agent = await enter('replayer')
  const members = [
    { id: 1, user: 'recorder', name: 'RECORDER', role: 'recorder' },
    { id: 2, user: 'replayer', name: 'REPLAYER', role: 'replayer' }
  ]
  t.strictSame(agent.greetings, [{ type: 'members', you: 2, recorder: 1, members }])
  await eventually(() => customer.greetings.length, 2)
  t.match(relay.status(), { seats: 2, state: 'serving', rooms: [{ tenant: 't', room: 'r', recorder: 1, members }] })
  customer.socket.close()
  await eventually(() => agent.greetings.length, 2)
  t.strictSame(agent.greetings[1]?.members, members.slice(1))
})

t.test('a recorder – is heard by replayers only, and with "takeover" a page opened again takes over', async (t) => {
  const { enter } = await startNode(t, { takeover: true })
  const first = await enter('recorder', 'first')
  const agents = [await enter('replayer', 'a'), await enter('replayer', 'b')]
  const second = await enter('recorder', 'first')
  first.socket.send('of the first')
  second.socket.send('of the second')
  await until(() => agents.every(({ heard }) => heard.length > 0))
  agents[0]?.socket.send('of an agent')
  await until(() => second.heard.length > 0)
  t.strictSame(agents.map(({ texts }) => texts()), [['of the second'], ['of the second']])
  t.strictSame([first.texts(), second.texts()], [[], ['of an agent']])
  second.socket.close()
  await eventually(() => first.greetings.at(-1)?.members.length, 3)
  first.socket.send('of the first again')
  await until(() => agents.every(({ heard }) => heard.length === 2))
})

t.test('a further recorder – is a standby until the first one leaves', async (t) => {
  for (const user of ['customer', 'stranger']) {
    await t.test(`of the user ${user}`, async (t) => {
      const { enter } = await startNode(t, { takeover: user === 'stranger' })
      const first = await enter('recorder', 'customer')
      const agent = await enter('replayer')
      const standby = await enter('recorder', user)
      t.match(standby.greetings, [{ you: 3, recorder: 1 }])
      standby.socket.send('of the standby')
      agent.socket.send('of the agent')
      await eventually(first.texts, ['of the agent'])
      first.socket.send('of the first')
      await eventually(agent.texts, ['of the first'])
      first.socket.close()
      await eventually(() => standby.greetings.at(-1)?.recorder, 3)
      standby.socket.send('of the one that is seen now')
      await eventually(agent.texts, ['of the first', 'of the one that is seen now'])
      t.strictSame(standby.texts(), [])
    })
  }
})

t.test('an observer – hears the recorder, and is not heard', async (t) => {
  const { enter } = await startNode(t, { isObserver: ({ user }) => user === 'trainer' })
  const [customer, observer, agent] = [await enter('recorder'), await enter('replayer', 'trainer'), await enter('replayer')]
  observer.socket.send('of the observer')
  agent.socket.send('of the agent')
  customer.socket.send('of the customer')
  await eventually(observer.texts, ['of the customer'])
  await eventually(customer.texts, ['of the agent'])
})

t.test('a client’s message – any – is passed on as binary, so that it cannot pose as the node', async (t) => {
  const { enter } = await startNode(t)
  const [customer, agent] = [await enter('recorder'), await enter('replayer')]
  customer.socket.send(JSON.stringify({ type: 'members', you: 2, members: [] }))
  await eventually(() => agent.heard.length, 1)
  t.equal(agent.greetings.length, 1)
})

t.test('a client whose network is gone – does not keep the room open', async (t) => {
  const { port, sign, relay } = await startNode(t, { pingInterval: 200 })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET /ws HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: cobrowse.v1, ${await sign('recorder', 'u')}\r\n\r\n`)
  socket.on('data', () => {})
  await eventually(() => relay.status().seats, 1)
  await eventually(() => relay.status().seats, 0, 'no seats: the client never answers a ping')
})

t.test('a viewer of a slow network – a large page before each ping – gets it whole', async (t) => {
  const { enter } = await startNode(t, { pingInterval: 100 })
  const [sender, viewer] = [await enter('recorder'), await enter('replayer')]
  // The largest page of the recorder, at full speed.
  const parts = 128
  let heard = 0
  // 256 KiB each 10 ms: the answer to a ping waits for more than a second.
  viewer.socket.on('message', (_, isBinary) => {
    if (!isBinary) return
    heard++
    viewer.socket.pause()
    setTimeout(() => viewer.socket.resume(), 10)
  })
  for (let part = 0; part < parts; part++) sender.socket.send(Buffer.alloc(MIB / 4, part))
  await until(() => heard === parts || viewer.socket.readyState !== viewer.socket.OPEN, 'the page')
  t.equal(heard, parts)
})

t.test('a client that sends – its answers wait behind that – is not taken for gone', async (t) => {
  const { enter, relay } = await startNode(t, { pingInterval: 100 })
  const sender = await enter('recorder')
  const connection = Reflect.get(sender.socket, '_socket')
  let pings = 0
  Reflect.set(sender.socket, '_autoPong', false)
  sender.socket.on('ping', () => { pings++ })
  // One message of 100 KB, byte by byte.
  connection.write(hex('82ff00000000000186a0' + MASK))
  const dripping = setInterval(() => connection.write('x'), 20)
  t.teardown(() => clearInterval(dripping))
  const closed = once(sender.socket, 'close')
  const startedAt = performance.now()
  await until(() => performance.now() - startedAt > 1000 || relay.status().seats === 0, 'ten intervals')
  t.strictSame([relay.status().seats, pings], [1, 1])
  clearInterval(dripping)
  await closed
  await eventually(() => relay.status().seats, 0, 'no seats: nothing comes from the client any more')
})

t.test('a client that floods – is read more slowly, and costs the others nothing', async (t) => {
  const { enter } = await startNode(t, { messagesPerSecond: 1000 })
  const [customer, agent, flooding] = [await enter('recorder'), await enter('replayer'), await enter('replayer', 'mallory')]
  // More than one read of a socket returns: messages that were read are passed on.
  for (let count = 0; count < 6000; count++) flooding.socket.send(Buffer.alloc(1024))
  await until(() => customer.heard.length >= 4000, 'the burst')
  customer.socket.send('of the customer')
  await eventually(agent.texts, ['of the customer'])
  t.ok(customer.heard.length < 6000, 'the rest waits')
  await until(() => customer.heard.length === 6000, 'nothing is lost')
})

t.test('a replayer’s message – longer than those of replayers may be – costs its sender only', async (t) => {
  const { enter } = await startNode(t)
  const [customer, agent] = [await enter('recorder'), await enter('replayer')]
  agent.socket.send(Buffer.alloc(65_537))
  t.equal((await once(agent.socket, 'close'))[0], 1009)
  t.strictSame(customer.heard, [])
  t.equal(customer.socket.readyState, customer.socket.OPEN)
})

t.test('hostile frames – too many fragments, compressed, without a mask – cost their sender only', async (t) => {
  const { enter, relay } = await startNode(t)
  const customer = await enter('recorder')
  const frames: Array<[string, number, Buffer]> = [
    ['fragments', 1008, Buffer.concat([hex('0280' + MASK), ...Array.from({ length: 2000 }, () => hex('0080' + MASK))])],
    ['a compressed frame', 1002, hex('c280' + MASK)],
    ['a frame without a mask', 1002, hex('8200')],
    ['a length beyond all limits', 1009, hex('82ff7fffffffffffffff' + MASK)]
  ]
  for (const [what, code, data] of frames) {
    const { socket } = await enter('replayer', 'mallory')
    const closed = once(socket, 'close')
    Reflect.get(socket, '_socket').write(data)
    t.equal((await closed)[0], code, what)
  }
  await eventually(() => relay.status().seats, 1)
  t.equal(customer.socket.readyState, customer.socket.OPEN)
})

t.test('a client that resets its connection – during and after its admission – leaves nothing behind', async (t) => {
  const { enter, relay, port, sign } = await startNode(t)
  const { socket } = await enter('recorder')
  Reflect.get(socket, '_socket').resetAndDestroy()
  const early = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['cobrowse.v1', await sign('recorder', 'u')])
  early.on('error', () => {})
  early.on('open', () => Reflect.get(early, '_socket').resetAndDestroy())
  await once(early, 'close')
  await eventually(() => [relay.status().connections, relay.status().seats, relay.status().rooms.length], [0, 0, 0])
})

t.test('callers without a good signature – 1,000 above the seats – are answered 503 from then on', async (t) => {
  const { port, enter } = await startNode(t, { maxSeats: 2 })
  const { socket: customer } = await enter('recorder')
  // They would lose their connections after some seconds, on a slow machine before all of them are there.
  const { setTimeout } = globalThis
  t.intercept(globalThis, 'setTimeout', {
    value: (done: () => void, ms: number) => setTimeout(done, ms >= 1000 ? 120_000 : ms)
  })
  const answers: string[] = []
  const call = () => {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('data', (data) => {
      const [, status] = /^HTTP\/1.1 (\d+)/.exec(String(data)) ?? []
      if (status !== undefined) answers.push(status)
    })
    socket.write('GET /ws HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: cobrowse.v1, wrong\r\n\r\n')
  }
  for (let caller = 1; caller <= 1001; caller++) call()
  await until(() => answers.length === 1001, 'the answers', 60_000)
  t.strictSame([...new Set(answers)], ['101'])
  call()
  await eventually(() => answers[1001], '503')
  t.equal(customer.readyState, customer.OPEN)
})

t.test('a caller without a good signature – does not answer the close – loses its connection', async (t) => {
  const { port, relay } = await startNode(t)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write('GET /ws HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: cobrowse.v1, bad\r\n\r\n')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'close')
  t.match(Buffer.concat(chunks).toString('latin1'), /bad or expired signature$/)
  await eventually(() => relay.status().connections, 0)
})

const MASK = '00000000'
const hex = (text: string) => Buffer.from(text, 'hex')
