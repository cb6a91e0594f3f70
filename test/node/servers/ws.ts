import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { AdmissionError, readOffer } from '../../../lib/node/index.js'
import { createRelay, PROTOCOL } from './relay.js'
import type { IncomingMessage, Server } from 'node:http'
import type { WebSocket } from 'ws'
import type { CobrowseNode } from '../../../lib/node/index.js'

/** Starts a relay node with `ws`: the handshake is answered first, and the close code tells the error. */
export function serve (node: CobrowseNode): Server {
  const relay = createRelay()
  const sockets = new WebSocketServer({ noServer: true, ...PROTOCOL })
  const server = createServer()

  async function take (socket: WebSocket, request: IncomingMessage): Promise<void> {
    socket.on('error', () => socket.terminate())
    // Messages sent during the check wait in the connection.
    socket.pause()
    try {
      const { signature, origin } = readOffer(request.headers)
      relay(socket, await node.admit(signature, { origin }))
    } catch (error) {
      if (error instanceof AdmissionError) socket.close(error.closeCode, error.message)
      else socket.close(1011)
    } finally {
      socket.resume()
    }
  }

  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => take(client, request))
  })
  return server
}
