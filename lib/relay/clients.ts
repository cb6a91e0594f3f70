import { AdmissionError, readOffer } from '../node/index.js'
import { createBuffers } from './buffers.js'
import { readFrom } from './intake.js'
import { createLiveness } from './liveness.js'
import { createRelayRooms } from './rooms.js'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Buffered } from './buffers.js'
import type { Pinged } from './liveness.js'
import type { RelaySettings } from './options.js'
import type { RoomClient } from './room.js'
import type { RelayTraffic } from './traffic.js'
import type { CobrowseNode, Seat } from '../../types/node.js'
import type { RelayMember, RelayRoom } from '../../types/relay.js'

/** Close code of RFC 6455 section 7.4. */
const INTERNAL_ERROR = 1011
/** Milliseconds that a refused client has to answer the close. */
const REFUSED_MS = 1000
/** A browser does not show pings to the page, which needs a message to know that its connection is alive. */
const ALIVE = '{"type":"alive"}'

interface Client extends RoomClient, Buffered, Pinged {
  readonly socket: WebSocket
  sentBytes: number
}

/** The clients of a node, from the handshake to the end. */
export interface Clients {
  /** Lets a client into its room, or refuses it. */
  admit (socket: WebSocket, request: IncomingMessage): Promise<void>
  rooms (): RelayRoom[]
  /** Bytes that wait for clients that read slowly. */
  bufferedBytes (): number
  end (): void
}

export function createClients (settings: RelaySettings, node: CobrowseNode, traffic: RelayTraffic): Clients {
  const { log, maxBufferedBytes, maxTotalBufferedBytes } = settings
  const rooms = createRelayRooms<Client>(settings.takeover)
  let lastId = 0

  const liveness = createLiveness<Client>(settings.pingInterval, ({ socket }) => {
    traffic.disconnected('silent')
    socket.terminate()
  })
  const limits = { each: maxBufferedBytes, total: maxTotalBufferedBytes }
  const buffers = createBuffers<Client>(limits, ({ socket, member }) => {
    traffic.disconnected('slow')
    log.debug({ client: member.id, buffered: socket.bufferedAmount }, 'a client reads too slowly')
    socket.terminate()
  })

  function attend (socket: WebSocket, connection: Socket, seat: Seat): void {
    const { user, name, role } = seat
    const client = createClient(socket, connection, { id: ++lastId, user, name, role }, seat)
    const leave = enter(client, seat)
    seat.ended.then(({ code, reason }) => {
      leave()
      socket.close(code, reason)
    }).catch(() => socket.terminate())
    // The client may have gone during its admission.
    if (socket.readyState === socket.OPEN) socket.on('close', leave)
    else leave()
  }

  function createClient (socket: WebSocket, connection: Socket, member: RelayMember, seat: Seat): Client {
    const client: Client = {
      socket,
      connection,
      member,
      isObserver: member.role === 'replayer' && settings.isObserver(seat),
      buffered: 0,
      sentBytes: 0,
      tell: (text) => send(client, text, false),
      pass: (data) => send(client, data, true)
    }
    return client
  }

  function send (client: Client, data: Buffer | string, binary: boolean): void {
    if (client.socket.readyState !== client.socket.OPEN) return
    client.socket.send(data, { binary, compress: false })
    client.sentBytes += data.length
    buffers.count(client)
  }

  /** @returns leaves the room */
  function enter (client: Client, seat: Seat): () => void {
    const { socket, member: { role } } = client
    buffers.add(client)
    liveness.add(client, () => client.tell(ALIVE))
    const stay = rooms.enter(seat, client)
    readFrom(socket, {
      rates: settings,
      maxBytes: role === 'replayer' ? settings.maxReplayerMessageBytes : settings.maxMessageBytes,
      onMessage (data) {
        traffic.received(role, data.length)
        stay.pass(data)
      },
      onPong: () => liveness.answered(client),
      onThrottled: traffic.throttled
    })
    return () => {
      seat.leave()
      buffers.remove(client)
      liveness.remove(client)
      stay.leave()
    }
  }

  return {
    async admit (socket, request) {
      // A socket that resets while its signature is checked must not end the process.
      socket.on('error', () => socket.terminate())
      // Messages that arrive during the check wait in the connection.
      socket.pause()
      try {
        const { signature, origin } = readOffer(request.headers)
        attend(socket, request.socket, await node.admit(signature, { origin }))
      } catch (error) {
        if (error instanceof AdmissionError) refuse(socket, error.closeCode, error.message)
        else refuse(socket, INTERNAL_ERROR, '')
        log.debug({ reason: reasonOf(error) }, 'a client was not admitted')
      } finally {
        socket.resume()
      }
    },
    rooms: () => [...rooms.all()].map(({ tenant, room, members, recorder }) =>
      ({ tenant, room, recorder: recorder(), members: members() })),
    bufferedBytes: buffers.bytes,
    end: liveness.end
  }
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
