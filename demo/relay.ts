import { WebSocketServer } from 'ws'
import { AdmissionError, joinCobrowse, readOffer } from '../lib/node/index.js'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { NodeOptions, Seat } from '../lib/node/index.js'

const SUB_PROTOCOL = 'cobrowse.v1'
const MAX_MESSAGE_BYTES = 1024 * 1024
/** What may wait for a client that reads too slowly. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024
const INTERNAL_ERROR = 1011

export interface RelayOptions extends Pick<NodeOptions, 'registry' | 'signing' | 'wssUrl'> {
  id: string
  path: string
}

export interface Relay {
  readonly path: string
  /** Takes over a WebSocket handshake for this relay's path. */
  upgrade (request: IncomingMessage, socket: Duplex, head: Buffer): void
  close (): Promise<void>
}

/** A relay node: whoever shows a signature for it joins a room, and hears what the others in the room send. */
export async function startRelay ({ path, ...options }: RelayOptions): Promise<Relay> {
  const node = await joinCobrowse(options)
  const rooms = new Map<string, Set<WebSocket>>()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false
  })

  async function admit (socket: WebSocket, request: IncomingMessage): Promise<void> {
    // A socket that resets while its signature is checked must not end the process.
    socket.on('error', () => socket.terminate())
    // What is sent meanwhile waits in the connection.
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
    const name = JSON.stringify([seat.tenant, seat.room])
    const sockets = rooms.get(name) ?? new Set()
    rooms.set(name, sockets.add(socket))

    function leave (): void {
      seat.leave()
      sockets.delete(socket)
      if (sockets.size === 0 && rooms.get(name) === sockets) rooms.delete(name)
    }

    seat.ended.then(({ code, reason }) => {
      leave()
      socket.close(code, reason)
    })
    socket.on('message', (data, binary) => {
      for (const other of sockets) if (other !== socket) pass(other, data, binary)
    })
    if (socket.readyState === socket.OPEN) socket.on('close', leave)
    else leave()
  }

  return {
    path,
    upgrade: (request, socket, head) => server.handleUpgrade(request, socket, head, (client) => admit(client, request)),
    async close () {
      await node.close()
      server.close()
    }
  }
}

/** A client that does not read costs itself, not the memory of the node. */
function pass (socket: WebSocket, data: RawData, binary: boolean): void {
  if (socket.bufferedAmount > MAX_WAITING_BYTES) socket.terminate()
  else socket.send(data, { binary })
}
