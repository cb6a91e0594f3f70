import { once } from 'node:events'
import { AdmissionError, readOffer } from 'fastify-cobrowse/node'
import { WebSocketServer } from 'ws'
import { pingClients } from './ping.js'
import { createRooms } from './rooms.js'

/**
 * Listens, registers the node, and lets clients into their rooms.
 *
 * @param address of the server, `{ port, host }`
 * @param join registers the node: `joinCobrowse` of the kit
 */
export function startRelay (address, join) {
  const enter = createRooms()
  const server = new WebSocketServer({
    ...address,
    maxPayload: 4 * 1024 * 1024,
    // The signature is offered beside the protocol, and must not be answered.
    handleProtocols: (offered) => offered.has('cobrowse.v1') && 'cobrowse.v1'
  })
  pingClients(server)
  // Browsers come as soon as the node is registered: the server has to listen before.
  const joined = once(server, 'listening').then(join)

  server.on('connection', async (socket, { headers }) => {
    socket.on('error', () => socket.terminate())
    // A page sends as soon as its WebSocket is open. Without a pause, messages before the admission are lost.
    socket.pause()
    try {
      const { signature, origin } = readOffer(headers)
      const node = await joined
      enter(socket, await node.admit(signature, { origin }))
    } catch (error) {
      if (error instanceof AdmissionError) socket.close(error.closeCode, error.message)
      else socket.close(1011)
    } finally {
      socket.resume()
    }
  })
  return { server, joined }
}
