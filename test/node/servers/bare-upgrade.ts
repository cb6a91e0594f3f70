import { createServer, STATUS_CODES } from 'node:http'
import { WebSocketServer } from 'ws'
import { AdmissionError, readOffer } from '../../../lib/node/index.js'
import { createRelay, PROTOCOL } from './relay.js'
import type { Server } from 'node:http'
import type { CobrowseNode } from '../../../lib/node/index.js'

/**
 * A relay node that checks the signature before it answers the handshake: whoever has none costs no WebSocket. A page
 * sees 1006 then, and not why.
 */
export function serve (node: CobrowseNode): Server {
  const relay = createRelay()
  const sockets = new WebSocketServer({ noServer: true, ...PROTOCOL })
  const server = createServer()

  server.on('upgrade', async (request, socket, head) => {
    // Node takes its own listener away before it hands out the socket: a reset would end the process.
    socket.on('error', () => socket.destroy())
    try {
      const { signature, origin } = readOffer(request.headers)
      const seat = await node.admit(signature, { origin })
      // Also when the handshake itself fails.
      if (socket.destroyed) return seat.leave()
      socket.on('close', seat.leave)
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => client.terminate())
        relay(client, seat)
      })
    } catch (error) {
      const status = error instanceof AdmissionError ? error.statusCode : 500
      // Also if the client never closes its side.
      socket.once('finish', () => socket.destroy())
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
  })
  return server
}
