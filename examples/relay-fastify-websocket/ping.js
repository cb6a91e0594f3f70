const PING_INTERVAL = Number(process.env.PING_INTERVAL ?? 20_000)

/**
 * Pings every client, since a load balancer closes connections on which nothing is sent. A client that did not answer
 * the previous ping is gone, and would keep its room open.
 *
 * @param server a WebSocketServer of ws
 */
export function pingClients (server) {
  const silent = new WeakSet()
  server.on('connection', (socket) => socket.on('pong', () => silent.delete(socket)))
  setInterval(() => {
    for (const socket of server.clients) {
      if (silent.has(socket)) {
        socket.terminate()
      } else {
        silent.add(socket)
        socket.ping()
      }
    }
  }, PING_INTERVAL).unref()
}
