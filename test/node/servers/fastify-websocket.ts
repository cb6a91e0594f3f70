import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { AdmissionError, readOffer } from '../../../lib/node/index.js'
import { createRelay, PROTOCOL } from './relay.js'
import type { FastifyInstance } from 'fastify'
import type { CobrowseNode } from '../../../lib/node/index.js'

/** Starts a relay node with @fastify/websocket. */
export async function serve (node: CobrowseNode): Promise<FastifyInstance> {
  const relay = createRelay()
  const app = Fastify()
  await app.register(websocket, { options: PROTOCOL })

  app.get('/ws/cobrowse/1', { websocket: true }, async (socket, { headers }) => {
    // Messages sent during the check wait in the connection.
    socket.pause()
    try {
      const { signature, origin } = readOffer(headers)
      relay(socket, await node.admit(signature, { origin }))
    } catch (error) {
      if (error instanceof AdmissionError) socket.close(error.closeCode, error.message)
      else socket.close(1011)
    } finally {
      socket.resume()
    }
  })
  app.addHook('preClose', async () => await node.close())
  return app
}
