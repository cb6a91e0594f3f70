import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import t from 'tap'
import WebSocket from 'ws'
import { startRelay } from '../../demo/relay/relay.js'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { issuerWith } from '../support/issuer.js'
import { eventually, until } from '../support/until.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Member } from '../../demo/relay/room.js'
import type { Role } from '../../types/index.js'

const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
const MIB = 1024 * 1024

async function startNode (t: Test) {
  const registry = memoryRegistry()
  const relay = await startRelay({ id: 'n', wssUrl: 'wss://n.example/ws', registry, signing })
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
    const greetings: Array<{ you: number, members: Member[] }> = []
    const heard: Buffer[] = []
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) heard.push(data)
      else greetings.push(JSON.parse(data.toString()))
    })
    await until(() => greetings.length > 0)
    return { socket, greetings, heard, texts: () => heard.map(String) }
  }
  return { relay, port, sign, enter }
}

t.test('a client that does not read – is dropped, and costs the others nothing', async (t) => {
  const { enter } = await startNode(t)
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
  t.strictSame(agent.greetings, [{ type: 'members', you: 2, members }])
  await eventually(() => customer.greetings.length, 2)
  t.match(relay.status(), { seats: 2, state: 'serving', rooms: [{ tenant: 't', room: 'r', members }] })
  customer.socket.close()
  await eventually(() => agent.greetings.length, 2)
  t.strictSame(agent.greetings[1]?.members, members.slice(1))
})

t.test('a recorder – is heard by replayers only, and a page opened again takes over', async (t) => {
  const { enter } = await startNode(t)
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

t.test('a customer – room already shared by another – cannot take over', async (t) => {
  const { port, sign, enter, relay } = await startNode(t)
  const customer = await enter('recorder', 'customer')
  const agent = await enter('replayer')
  const stranger = new WebSocket(`ws://127.0.0.1:${port}/ws`, ['cobrowse.v1', await sign('recorder', 'stranger')])
  stranger.on('open', () => stranger.send('of the stranger'))
  t.equal((await once(stranger, 'close'))[0], 4403)
  t.equal(relay.status().seats, 2)
  customer.socket.send('of the customer')
  await until(() => agent.heard.length > 0, 'a message for the agent')
  t.strictSame(agent.texts(), ['of the customer'])
  customer.socket.close()
  await until(() => relay.status().seats === 1, 'the customer to leave')
  await enter('recorder', 'stranger')
})

t.test('a client’s message – any – is passed on as binary, so that it cannot pose as the node', async (t) => {
  const { enter } = await startNode(t)
  const [customer, agent] = [await enter('recorder'), await enter('replayer')]
  customer.socket.send(JSON.stringify({ type: 'members', you: 2, members: [] }))
  await eventually(() => agent.heard.length, 1)
  t.equal(agent.greetings.length, 1)
})

t.test('a client whose network is gone – does not keep the room open', async (t) => {
  const { port, sign, relay } = await startNode(t)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write('GET /ws HTTP/1.1\r\nHost: n\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: cobrowse.v1, ${await sign('recorder', 'u')}\r\n\r\n`)
  socket.on('data', () => {})
  await eventually(() => relay.status().seats, 1)
  await eventually(() => relay.status().seats, 0, 'no seats: the client never answers a ping')
})
