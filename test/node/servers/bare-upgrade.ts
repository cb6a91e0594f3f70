import { createServer, STATUS_CODES } from 'node:http'
import { WebSocketServer } from 'ws'
import { createRooms } from '../../../examples/relay-ws/rooms.js'
import { AdmissionError, readOffer } from '../../../lib/node/index.js'
import type { Server } from 'node:http'
import type { CobrowseNode } from '../../../lib/node/index.js'

/**
 * Starts a relay node that checks the signature before it answers the handshake: a client without one costs no
 * WebSocket. A page then sees only 1006, without a reason.
 */
export function serve (node: CobrowseNode): Server {
  const enter = createRooms()
  const sockets = new WebSocketServer({
    noServer: true, maxPayload: 1024 * 1024, handleProtocols: (offered) => offered.has('cobrowse.v1') && 'cobrowse.v1'
  })
  const server = createServer()

  server.on('upgrade', async (request, socket, head) => {
    // Node.js removes its own listener before it hands out the socket; a reset would end the process.
    socket.on('error', () => socket.destroy())
    try {
      const { signature, origin } = readOffer(request.headers)
      const seat = await node.admit(signature, { origin })
      // Covers handshakes that fail as well.
      if (socket.destroyed) return seat.leave()
      socket.on('close', seat.leave)
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => client.terminate())
        enter(client, seat)
      })
    } catch (error) {
      const status = error instanceof AdmissionError ? error.statusCode : 500
      // Covers clients that never close their side.
      socket.once('finish', () => socket.destroy())
      socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    }
  })
  return server
}
