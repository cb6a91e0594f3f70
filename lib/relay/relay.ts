import { WebSocketServer } from 'ws'
import { AdmissionError, joinCobrowse, readOffer } from '../node/index.js'
import { createAllowance } from './allowance.js'
import { createBuffers } from './buffers.js'
import { createRelayMetrics } from './metrics.js'
import { readRelayOptions } from './options.js'
import { createRelayRoom } from './room.js'
import { createTraffic } from './traffic.js'
import { refuseUpgrade } from './upgrade.js'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Buffered } from './buffers.js'
import type { RelayRoom, RoomClient } from './room.js'
import type { Seat } from '../../types/node.js'
import type { Relay, RelayMember, StartRelayOptions } from '../../types/relay.js'
import type { RoomKey } from '../../types/registry.js'

const SUB_PROTOCOL = 'cobrowse.v1'
/** Close codes of RFC 6455 section 7.4. */
const TOO_LARGE = 1009
const INTERNAL_ERROR = 1011
/** Connections beyond the seats: clients whose signature is being checked, or that are on their way out. */
const UNSEATED = 1000
/**
 * Options of ws that its types do not know yet: milliseconds that a client has to answer a close, and fragments of one
 * message. Browsers send fragments of at least some KiB; a flood of tiny ones costs more than its bytes show.
 */
const UNTYPED_OPTIONS = { closeTimeout: 5000, maxFragments: 1024 }
const ALIVE = '{"type":"alive"}'

interface Client extends RoomClient, Buffered {
  readonly socket: WebSocket
}

type Room = RelayRoom<Client> & RoomKey

/**
 * Starts a relay node: it registers, and passes the messages of the recorder of a room to its replayers, and those of a
 * replayer to the recorder. The server must listen before, since browsers come as soon as the node is registered.
 *
 * @throws TypeError that names the option; any other error if the registry is unavailable
 */
export async function startRelay (options: StartRelayOptions): Promise<Relay> {
  const settings = readRelayOptions(options)
  const { log, maxMessageBytes, maxReplayerMessageBytes, pingInterval, takeover } = settings
  const metrics = settings.node.metrics && await createRelayMetrics(settings.node.metrics)
  const node = await joinCobrowse(settings.node)
  const traffic = createTraffic()
  const rooms = new Map<string, Room>()
  /** Clients that have not answered the last ping. */
  const unanswered = new WeakSet<WebSocket>()
  const maxConnections = (settings.node.maxSeats ?? 10_000) + UNSEATED
  let lastId = 0

  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    ...UNTYPED_OPTIONS,
    handleProtocols: (offered) => offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false
  })
  const buffers = createBuffers<Client>({
    each: settings.maxBufferedBytes, total: settings.maxTotalBufferedBytes
  }, (client) => {
    traffic.disconnected('slow')
    log.debug({ client: client.member.id, buffered: client.socket.bufferedAmount }, 'a client reads too slowly')
    client.socket.terminate()
  })

  async function admit (socket: WebSocket, request: IncomingMessage): Promise<void> {
    // A socket that resets while its signature is checked must not end the process.
    socket.on('error', () => socket.terminate())
    // Messages that arrive during the check wait in the connection.
    socket.pause()
    try {
      const { signature, origin } = readOffer(request.headers)
      attend(socket, await node.admit(signature, { origin }))
    } catch (error) {
      if (error instanceof AdmissionError) socket.close(error.closeCode, error.message)
      else socket.close(INTERNAL_ERROR)
      log.debug({ reason: String(error instanceof Error ? error.cause ?? error : error) }, 'a client was not admitted')
    } finally {
      socket.resume()
    }
  }

  function attend (socket: WebSocket, seat: Seat): void {
    const { user, name, role } = seat
    const client = createClient(socket, { id: ++lastId, user, name, role }, seat)
    const leave = enter(client, seat)
    seat.ended.then(({ code, reason }) => {
      leave()
      socket.close(code, reason)
    })
    if (socket.readyState !== socket.OPEN) return leave()
    socket.on('close', leave)
  }

  function createClient (socket: WebSocket, member: RelayMember, seat: Seat): Client {
    const client: Client = {
      socket,
      member,
      isObserver: member.role === 'replayer' && settings.isObserver(seat),
      buffered: 0,
      tell: (text) => send(client, text, false),
      pass: (data) => send(client, data, true)
    }
    return client
  }

  function send (client: Client, data: Buffer | string, binary: boolean): void {
    if (client.socket.readyState !== client.socket.OPEN) return
    client.socket.send(data, { binary, compress: false })
    buffers.count(client)
  }

  /** @returns leaves the room */
  function enter (client: Client, { tenant, room: name, leave: giveUpSeat }: Seat): () => void {
    const key = JSON.stringify([tenant, name])
    const room = rooms.get(key) ?? Object.assign(createRelayRoom<Client>(takeover), { tenant, room: name })
    rooms.set(key, room)
    buffers.add(client)
    room.add(client)
    listen(client, room)
    return () => {
      giveUpSeat()
      buffers.remove(client)
      room.remove(client)
      if (room.size === 0 && rooms.get(key) === room) rooms.delete(key)
    }
  }

  function listen (client: Client, room: Room): void {
    const { socket, member: { role } } = client
    const allowance = createAllowance(settings, () => performance.now())
    const charge = (bytes: number): void => {
      const wait = allowance.spend(1, bytes)
      if (wait > 0) throttle(socket, wait)
    }
    socket.on('message', (data: Buffer) => {
      traffic.received(role, data.length)
      charge(data.length)
      if (role === 'replayer' && data.length > maxReplayerMessageBytes) socket.close(TOO_LARGE, 'the message is too large')
      else room.pass(client, data)
    })
    socket.on('ping', ({ length }: Buffer) => charge(length))
    socket.on('pong', ({ length }: Buffer) => {
      unanswered.delete(socket)
      charge(length)
    })
  }

  /** Reads nothing for a while: the flood waits at the client's side. */
  function throttle (socket: WebSocket, ms: number): void {
    if (socket.isPaused) return
    traffic.throttled()
    socket.pause()
    setTimeout(() => {
      // Its answer to a ping waits in the connection.
      unanswered.delete(socket)
      socket.resume()
    }, ms).unref()
  }

  /**
   * A client whose network is gone never closes, and would keep its room open. A browser does not show pings to the
   * page, which needs a message to know that its connection is alive.
   */
  function ping (): void {
    for (const socket of server.clients) {
      if (unanswered.has(socket) && !socket.isPaused) {
        traffic.disconnected('silent')
        socket.terminate()
      } else if (socket.readyState === socket.OPEN) {
        unanswered.add(socket)
        socket.ping()
      }
    }
    for (const room of rooms.values()) for (const client of room.clients()) client.tell(ALIVE)
  }

  function status () {
    const inside = [...rooms.values()].map(({ tenant, room, members, recorder }) =>
      ({ tenant, room, recorder: recorder(), members: members() }))
    return { ...node.status(), rooms: inside, connections: server.clients.size, bufferedBytes: buffers.bytes() }
  }

  const unwatch = metrics?.watch(() => ({
    node: node.id, connections: server.clients.size, bufferedBytes: buffers.bytes(), ...traffic.totals()
  }))
  const pinging = setInterval(ping, pingInterval)
  node.on('lapsed', () => log.warn('the registry is unreachable: doors are shut'))
  node.on('resumed', () => log.info('the registry is reachable again'))
  node.on('replaced', () => log.warn('another process has taken the id of this node'))
  node.on('ordered', (order) => log.info({ order }, order === undefined ? 'an order ended' : 'an operator gave an order'))
  log.info({ wssUrl: settings.node.wssUrl }, 'relay node registered')

  return {
    id: node.id,
    status,
    upgrade (request, socket, head) {
      if (server.clients.size >= maxConnections) return refuseUpgrade(socket, '503 Service Unavailable')
      server.handleUpgrade(request, socket, head, (client) => admit(client, request))
    },
    drain: node.drain,
    undrain: node.undrain,
    cut () {
      for (const socket of server.clients) socket.terminate()
    },
    async close () {
      clearInterval(pinging)
      unwatch?.()
      await node.close()
      server.close()
    }
  }
}
