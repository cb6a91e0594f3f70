import { WebSocketServer } from 'ws'
import { AdmissionError, joinCobrowse, readOffer } from '../node/index.js'
import { NODE_DEFAULTS } from '../node/options.js'
import { createBuffers } from './buffers.js'
import { readFrom } from './intake.js'
import { createLiveness } from './liveness.js'
import { createRelayMetrics } from './metrics.js'
import { readRelayOptions } from './options.js'
import { createRelayRooms } from './rooms.js'
import { createTraffic } from './traffic.js'
import { refuseUpgrade } from './upgrade.js'
import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Buffered } from './buffers.js'
import type { RoomClient } from './room.js'
import type { CobrowseNode, Seat } from '../../types/node.js'
import type { Relay, RelayLog, RelayMember, RelayStatus, StartRelayOptions } from '../../types/relay.js'

const SUB_PROTOCOL = 'cobrowse.v1'
/** Close code of RFC 6455 section 7.4. */
const INTERNAL_ERROR = 1011
/** Milliseconds that a refused client has to answer the close. */
const REFUSED_MS = 1000
/** Connections beyond the seats: clients whose signature is being checked, or that are on their way out. */
const UNSEATED = 1000
/**
 * Options of ws that its types do not know yet: milliseconds that a client has to answer a close, and fragments of one
 * message. Browsers send fragments of at least some KiB; a flood of tiny ones costs more than its bytes show.
 */
const UNTYPED_OPTIONS = { closeTimeout: 5000, maxFragments: 1024 }
/** A browser does not show pings to the page, which needs a message to know that its connection is alive. */
const ALIVE = '{"type":"alive"}'

interface Client extends RoomClient, Buffered {
  readonly socket: WebSocket
}

/**
 * Starts a relay node: it registers, and passes the messages of the recorder of a room to its replayers, and those of a
 * replayer to the recorder. The server must listen before, since browsers come as soon as the node is registered.
 *
 * @throws TypeError that names the option; any other error if the registry is unavailable
 */
export async function startRelay (options: StartRelayOptions): Promise<Relay> {
  const settings = readRelayOptions(options)
  const { log, maxMessageBytes, maxReplayerMessageBytes, maxBufferedBytes, maxTotalBufferedBytes } = settings
  const metrics = settings.node.metrics && await createRelayMetrics(settings.node.metrics)
  const node = await joinCobrowse(settings.node)
  const traffic = createTraffic()
  const rooms = createRelayRooms<Client>(settings.takeover)
  const maxConnections = (settings.node.maxSeats ?? NODE_DEFAULTS.maxSeats) + UNSEATED
  let lastId = 0

  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered) => offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false,
    ...UNTYPED_OPTIONS
  })
  const liveness = createLiveness(settings.pingInterval, (socket) => {
    traffic.disconnected('silent')
    socket.terminate()
  })
  const limits = { each: maxBufferedBytes, total: maxTotalBufferedBytes }
  const buffers = createBuffers<Client>(limits, ({ socket, member }) => {
    traffic.disconnected('slow')
    log.debug({ client: member.id, buffered: socket.bufferedAmount }, 'a client reads too slowly')
    socket.terminate()
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
      if (error instanceof AdmissionError) refuse(socket, error.closeCode, error.message)
      else refuse(socket, INTERNAL_ERROR, '')
      log.debug({ reason: reasonOf(error) }, 'a client was not admitted')
    } finally {
      socket.resume()
    }
  }

  function attend (socket: WebSocket, seat: Seat): void {
    const { user, name, role } = seat
    const client = createClient(socket, { id: ++lastId, user, name, role }, seat)
    buffers.add(client)
    liveness.add(socket, () => client.tell(ALIVE))
    const stay = rooms.enter(seat, client)
    readFrom(socket, {
      rates: settings,
      maxBytes: role === 'replayer' ? maxReplayerMessageBytes : maxMessageBytes,
      onMessage (data) {
        traffic.received(role, data.length)
        stay.pass(data)
      },
      onAlive: () => liveness.answered(socket),
      onThrottled: traffic.throttled
    })

    function leave (): void {
      seat.leave()
      buffers.remove(client)
      liveness.remove(socket)
      stay.leave()
    }
    seat.ended.then(({ code, reason }) => {
      leave()
      socket.close(code, reason)
    }).catch(() => socket.terminate())
    // The client may have gone during its admission.
    if (socket.readyState === socket.OPEN) socket.on('close', leave)
    else leave()
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

  function status (): RelayStatus {
    const inside = [...rooms.all()].map(({ tenant, room, members, recorder }) =>
      ({ tenant, room, recorder: recorder(), members: members() }))
    return { ...node.status(), rooms: inside, connections: server.clients.size, bufferedBytes: buffers.bytes() }
  }

  const unwatch = metrics?.watch(() => ({
    node: node.id, connections: server.clients.size, bufferedBytes: buffers.bytes(), ...traffic.totals()
  }))
  logEvents(node, log)
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
      liveness.end()
      unwatch?.()
      await node.close()
      server.close()
    }
  }
}

function logEvents (node: CobrowseNode, log: RelayLog): void {
  node.on('lapsed', () => log.warn('the registry is unreachable: doors are shut'))
  node.on('resumed', () => log.info('the registry is reachable again'))
  node.on('replaced', () => log.warn('another process has taken the id of this node'))
  node.on('ordered', (order) => log.info({ order }, order === undefined ? 'an order ended' : 'an operator gave an order'))
}

/** Callers without a good signature must not fill the places of others. */
function refuse (socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason)
  setTimeout(() => socket.terminate(), REFUSED_MS).unref()
}

/** An AdmissionError is worded for the client; its cause is the reason. */
function reasonOf (error: unknown): string {
  return String(error instanceof AdmissionError && error.cause !== undefined ? error.cause : error)
}
