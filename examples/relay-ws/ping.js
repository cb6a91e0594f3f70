const PING_INTERVAL = Number(process.env.PING_INTERVAL ?? 20_000)
/** On a slow network, the answer to a ping waits until a large page has arrived. */
const UNANSWERED_PINGS = 3

/**
 * Pings every client, since a load balancer closes connections on which nothing is sent. A client that sends nothing
 * and answers no ping is gone, and would keep its room open.
 *
 * @param server a WebSocketServer of ws
 */
export function pingClients (server) {
  const unanswered = new WeakMap()
  server.on('connection', (socket) => {
    const isAlive = () => unanswered.set(socket, 0)
    isAlive()
    socket.on('pong', isAlive).on('message', isAlive)
  })
  setInterval(() => {
    for (const socket of server.clients) {
      const pings = unanswered.get(socket)
      if (pings === UNANSWERED_PINGS) {
        socket.terminate()
      } else {
        unanswered.set(socket, pings + 1)
        socket.ping()
      }
    }
  }, PING_INTERVAL).unref()
}
