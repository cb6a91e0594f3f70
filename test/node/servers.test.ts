import { once } from 'node:events'
import { connect } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import WebSocket from 'ws'
import { addRelay } from '../../examples/relay-fastify-websocket/relay.js'
import { startRelay } from '../../examples/relay-ws/relay.js'
import { joinCobrowse } from '../../lib/node/index.js'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { issuerWith } from '../support/issuer.js'
import { elapse } from '../support/elapse.js'
import { eventually, until } from '../support/until.js'
import { serve } from './servers/bare-upgrade.js'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'
import type { CobrowseNode } from '../../lib/node/index.js'
import type { Registry } from '../../types/registry.js'
import type { Role } from '../../types/role.js'

const PATH = '/ws/cobrowse/1'
const ORIGIN = 'https://app.example'
const signing = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }

type Serve = (t: Test, node: CobrowseNode) => Promise<number>

/** Servers of relay nodes: the two examples, and one that refuses a bad signature before it answers the handshake. */
const SERVERS: Record<string, Serve> = {
  async ws (t, node) {
    const { server, joined } = startRelay({ port: 0, host: '127.0.0.1' }, () => node)
    t.teardown(async () => {
      await node.close()
      server.close()
    })
    await joined
    return (server.address() as AddressInfo).port
  },
  async 'a bare upgrade handler' (t, node) {
    const server = serve(node).listen(0, '127.0.0.1')
    t.teardown(async () => {
      await node.close()
      server.close()
    })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  async '@fastify/websocket' (t, node) {
    const app = Fastify()
    t.teardown(async () => await app.close())
    app.addHook('preClose', async () => await node.close())
    await addRelay(app, { path: PATH, joined: Promise.resolve(node) })
    return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
  }
}

/** Creates a registry that delays every claim, to leave time for disturbances. */
function slow (registry: Registry): Registry {
  return {
    ...registry,
    async join (record) {
      const membership = await registry.join(record)
      const claim: typeof membership.claim = async (...args) => {
        await elapse(10, 'the delay of the registry')
        return await membership.claim(...args)
      }
      return Object.assign(Object.create(membership), { claim })
    }
  }
}

async function setUp (t: Test, serve: Serve) {
  const registry = memoryRegistry()
  const node = await joinCobrowse({
    registry: slow(registry), wssUrl: `wss://n.example${PATH}`, signing, allowedOrigins: [ORIGIN]
  })
  const port = await serve(t, node)
  const issue = issuerWith(signing)

  async function sign (role: Role = 'recorder', room = 'r'): Promise<string> {
    const { node, issuedAt } = await registry.assign({ tenant: 't', room })
    return issue({ tenant: 't', room, user: 'u', name: 'U', role, node, issuedAt })
  }
  async function open (signature: string): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${PATH}`, ['cobrowse.v1', signature], { origin: ORIGIN })
    t.teardown(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }
  /** Returns the close code, or the HTTP status mapped to a close code. */
  async function refusal (signature: string, options: object = { origin: ORIGIN }): Promise<number> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${PATH}`, ['cobrowse.v1', signature], options)
    t.teardown(() => socket.terminate())
    return await new Promise((resolve) => {
      socket.on('close', resolve)
      socket.on('error', () => {})
      socket.on('unexpected-response', (_request, response) => resolve(4000 + (response.statusCode ?? 0)))
    })
  }
  function handshake (signature: string, more: Record<string, string> = {}, method = 'GET'): string {
    const headers = {
      Host: '127.0.0.1',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
      'Sec-WebSocket-Protocol': `cobrowse.v1, ${signature}`,
      ...more
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return `${method} ${PATH} HTTP/1.1\r\n${lines.join('')}\r\n`
  }
  function raw (bytes: string): Socket {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    t.teardown(() => socket.destroy())
    socket.write(bytes)
    return socket
  }
  const hasSeats = async (seats: number) => await until(() => node.status().seats === seats, `${seats} seats`)
  return { node, sign, open, refusal, handshake, raw, hasSeats }
}

for (const [name, serve] of Object.entries(SERVERS)) {
  t.test(name, async (t) => {
    t.test('two clients of a room – until the node drains – receive each other’s messages', async (t) => {
      const { node, sign, open, hasSeats, refusal } = await setUp(t, serve)
      const agent = await open(await sign('replayer'))
      t.equal(agent.protocol, 'cobrowse.v1', 'the signature is not echoed')
      await hasSeats(1)
      const received = once(agent, 'message')
      const customer = await open(await sign())
      customer.send('sent before the answer of the registry')
      t.equal(String((await received)[0]), 'sent before the answer of the registry')
      const stranger = await open(await sign('replayer', 'other'))
      stranger.on('message', () => t.fail('a message of another room'))
      await hasSeats(3)
      const answered = once(customer, 'message')
      agent.send(Buffer.from('bytes'))
      t.strictSame((await answered)[0], Buffer.from('bytes'))

      const signature = await sign()
      const codes = [agent, customer, stranger].map(async (socket) => (await once(socket, 'close'))[0])
      t.equal(await node.drain({ deadline: 0 }), true)
      t.strictSame(await Promise.all(codes), [4410, 4410, 4410])
      t.equal(await refusal(signature), 4410)
    })

    t.test('a rejected client – is told the reason', async (t) => {
      const { sign, open, refusal, hasSeats } = await setUp(t, serve)
      const signature = await sign()
      t.equal(await refusal('forged'), 4401)
      t.equal(await refusal(signature, { origin: 'https://evil.example' }), 4403)
      const socket = await open(signature)
      await hasSeats(1)
      t.equal(await refusal(signature), 4408)
      socket.close()
      await hasSeats(0)
    })

    t.test('a socket that resets during the check of its signature – costs nothing', async (t) => {
      const { node, sign, open, handshake, raw, hasSeats } = await setUp(t, serve)
      const inside = await open(await sign('replayer'))
      await hasSeats(1)
      for (let wave = 0; wave < 8; wave++) {
        await Promise.all(Array.from({ length: 15 }, async (_, at) => {
          const socket = raw(handshake(at % 3 === 0 ? 'forged' : await sign()))
          await once(socket, 'connect')
          await elapse(wave * 3, 'a different moment to reset in each wave')
          socket.resetAndDestroy()
        }))
      }
      await hasSeats(1)
      const received = once(inside, 'message')
      const other = await open(await sign())
      other.send('still here')
      t.equal(String((await received)[0]), 'still here')
      inside.terminate()
      other.terminate()
      await hasSeats(0)
      await eventually(() => node.status().rooms, 0)
    })

    t.test('a broken handshake or frame – costs its own connection only', async (t) => {
      const { node, sign, handshake, raw, hasSeats } = await setUp(t, serve)
      const broken: Array<[string, Record<string, string>, string?]> = [
        ['version', { 'Sec-WebSocket-Version': '99' }],
        ['key', { 'Sec-WebSocket-Key': 'short' }],
        ['method', { 'Content-Length': '0' }, 'POST'],
        ['protocol', { 'Sec-WebSocket-Protocol': 'cobrowse.v1,,' }]
      ]
      for (const [what, headers, method] of broken) {
        const socket = raw(handshake(await sign(), headers, method)).resume()
        socket.setTimeout(20_000, () => socket.destroy(new Error(`${what} is still open`)))
        await once(socket, 'close')
      }
      await hasSeats(0)
      const unmasked = raw(handshake(await sign())).resume()
      await hasSeats(1)
      unmasked.write(Buffer.from([0x81, 0x01, 0x61]))
      await once(unmasked, 'close')
      await hasSeats(0)
      await eventually(() => node.status().rooms, 0)
    })
  })
}
