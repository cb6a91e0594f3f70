import { WebSocketServer } from 'ws'
import { AdmissionError, joinCobrowse, readOffer } from '../../lib/node/index.js'
import { createRelayRoom } from './room.js'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { DrainOptions, NodeOptions, NodeStatus, Seat } from '../../lib/node/index.js'
import type { Member, RelayRoom } from './room.js'

const SUB_PROTOCOL = 'cobrowse.v1'
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/**
 * Interval between two messages of the node to each client: a client that hears nothing for longer considers the line
 * dead.
 */
const GREET_MS = 5000
const INTERNAL_ERROR = 1011
const NOT_IN_THIS_ROLE = 4403

export interface RelayOptions extends Pick<NodeOptions, 'registry' | 'signing' | 'wssUrl' | 'wssUrlOut' | 'metrics'> {
  id: string
}

export interface RelayStatus extends Omit<NodeStatus, 'rooms'> {
  rooms: Array<{ tenant: string, room: string, members: Member[] }>
}

export interface Relay {
  status (): RelayStatus
  /** Takes over a WebSocket handshake. */
  upgrade (request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Takes no new rooms, and disconnects all clients by the deadline. */
  drain (options: DrainOptions): Promise<boolean>
  /** Cuts every connection without notice, like the end of a process; the registration is the caller's. */
  cut (): void
  close (): Promise<void>
}

/** A relay node: a client with a signature for it joins a room, and receives the messages of the other side. */
export async function startRelay (options: RelayOptions): Promise<Relay> {
  const node = await joinCobrowse(options)
  const rooms = new Map<string, RelayRoom & { tenant: string, room: string }>()
  const silent = new WeakSet<WebSocket>()
  let clients = 0
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false
  })

  async function admit (socket: WebSocket, request: IncomingMessage): Promise<void> {
    // A socket that resets while its signature is checked must not end the process.
    socket.on('error', () => socket.terminate())
    socket.on('pong', () => silent.delete(socket))
    // Messages that arrive during the check wait in the connection.
    socket.pause()
    try {
      const { signature, origin } = readOffer(request.headers)
      attend(socket, await node.admit(signature, { origin }))
    } catch (error) {
      if (error instanceof AdmissionError) socket.close(error.closeCode, error.message)
      else socket.close(INTERNAL_ERROR)
    } finally {
      socket.resume()
    }
  }

  function attend (socket: WebSocket, seat: Seat): void {
    const { tenant, room, user, name, role } = seat
    const key = JSON.stringify([tenant, room])
    const joined = rooms.get(key) ?? { ...createRelayRoom(), tenant, room }
    const remove = joined.add(socket, { id: ++clients, user, name, role })
    if (remove === undefined) {
      seat.leave()
      return socket.close(NOT_IN_THIS_ROLE, 'another customer shares in the room')
    }
    rooms.set(key, joined)

    const leave = (): void => {
      seat.leave()
      remove()
      if (joined.members().length === 0 && rooms.get(key) === joined) rooms.delete(key)
    }

    seat.ended.then(({ code, reason }) => {
      leave()
      socket.close(code, reason)
    })
    if (socket.readyState === socket.OPEN) socket.on('close', leave)
    else leave()
  }

  /** A client whose network is gone never closes, and would keep its room open. */
  function greet (): void {
    for (const socket of server.clients) {
      if (silent.has(socket)) socket.terminate()
      else if (socket.readyState === socket.OPEN) {
        silent.add(socket)
        socket.ping()
      }
    }
    for (const room of rooms.values()) room.greet()
  }

  const greeting = setInterval(greet, GREET_MS)
  return {
    status () {
      const inside = [...rooms.values()].map(({ tenant, room, members }) => ({ tenant, room, members: members() }))
      return { ...node.status(), rooms: inside }
    },
    upgrade: (request, socket, head) => server.handleUpgrade(request, socket, head, (client) => admit(client, request)),
    drain: node.drain,
    cut () {
      for (const socket of server.clients) socket.terminate()
    },
    async close () {
      clearInterval(greeting)
      await node.close()
      server.close()
    }
  }
}
