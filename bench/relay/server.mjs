// One relay, in a process of its own: bare | socket.io | ours. Tells its parent the port, and its costs whenever asked.
import { createServer } from 'node:http'
import Fastify from 'fastify'
import { WebSocketServer } from 'ws'
import cobrowse, { memoryRegistry, memorySessions, staticProvision } from '../../dist/lib/index.js'
import relay from '../../dist/lib/relay/index.js'

const [variant] = process.argv.slice(2)
const MAX_MESSAGE = 4 * 1024 * 1024

/** Text of a query parameter of a handshake. */
const queryOf = (request, name) => new URL(request.url, 'http://x').searchParams.get(name)

async function listen (server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server.address().port
}

const VARIANTS = {
  /** The least that a relay does: each message goes to the others of the room. */
  async bare () {
    const server = createServer()
    const rooms = new Map()
    const sockets = new WebSocketServer({ server, maxPayload: MAX_MESSAGE })
    sockets.on('connection', (socket, request) => {
      const name = queryOf(request, 'room')
      const room = rooms.get(name) ?? new Set()
      rooms.set(name, room.add(socket))
      socket.on('message', (data) => {
        for (const other of room) if (other !== socket) other.send(data, { binary: true })
      })
    })
    return { port: await listen(server) }
  },

  async 'socket.io' () {
    const { Server } = await import('socket.io')
    const server = createServer()
    const io = new Server(server, { transports: ['websocket'], maxHttpBufferSize: MAX_MESSAGE, serveClient: false })
    io.on('connection', (socket) => {
      const room = queryOf(socket.request, 'room')
      socket.join(room)
      socket.on('m', (data) => socket.to(room).emit('m', data))
    })
    return { port: await listen(server) }
  },

  async ours () {
    const app = Fastify()
    const registry = memoryRegistry()
    const signing = { keys: [{ id: 'bench', secret: 'a key for the bench alone, of 32 bytes' }] }
    await app.register(cobrowse, {
      registry, signing, sessions: memorySessions(), provision: staticProvision('ws://127.0.0.1:8443'), authorize: () => true
    })
    await app.register(relay, { registry, signing, id: 'node-1', wssUrl: 'ws://127.0.0.1:8443/ws' })
    await app.listen({ port: 0, host: '127.0.0.1' })
    while (!app.cobrowseRelays.has('node-1')) await new Promise(setImmediate)
    const session = { tenantId: 't', channelId: 'c', userId: 'u' }
    return {
      port: app.server.address().port,
      async sign (roomId, role) {
        const { signature } = await app.cobrowse.connectionInfo(session, { roomId, userId: 'u', userName: 'U', role })
        return signature
      }
    }
  }
}

const { port, sign } = await VARIANTS[variant]()

const ANSWERS = {
  cpu: () => process.cpuUsage(),
  memory () {
    for (let count = 0; count < 4; count++) globalThis.gc()
    const { rss, heapUsed, external } = process.memoryUsage()
    return { rss, used: heapUsed + external }
  },
  sign: async ({ clients }) => await Promise.all(clients.map(async ({ room, role }) => await sign(room, role)))
}
process.on('message', async (asked) => process.send({ id: asked.id, answer: await ANSWERS[asked.what](asked) }))
process.send({ port })
