import websocket from '@fastify/websocket'
import { AdmissionError, readOffer } from 'fastify-cobrowse/node'
import { pingClients } from './ping.js'
import { createRooms } from './rooms.js'

/**
 * Adds a route that lets clients into their rooms.
 *
 * @param app the root: in a scope below it, @fastify/websocket leaves upgrade requests for other routes unanswered
 * @param options `path` of the route, and `joined`, a promise of the node
 */
export async function addRelay (app, { path, joined }) {
  const enter = createRooms()
  await app.register(websocket, {
    options: {
      maxPayload: 4 * 1024 * 1024,
      // The signature is offered beside the protocol, and must not be answered.
      handleProtocols: (offered) => offered.has('cobrowse.v1') && 'cobrowse.v1'
    }
  })

  pingClients(app.websocketServer)
  app.get(path, { websocket: true }, async (socket, { headers }) => {
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
}
