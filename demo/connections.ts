import type { Server } from 'node:http'
import type { Socket } from 'node:net'

export interface Connections {
  /** Ends all open connections, in any state: half a request, or no answer to a closing WebSocket. */
  cut (): void
}

/** The connections of a server. Its own `closeAllConnections` leaves out those that became WebSockets. */
export function trackConnections (server: Server): Connections {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    cut () {
      for (const socket of sockets) socket.destroy()
    }
  }
}
