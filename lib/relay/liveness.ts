import type { WebSocket } from 'ws'

/** Finds clients that are gone. Such a client never closes, and would keep its room open. */
export interface Liveness {
  /** Pings the client from now on. @param onPing called with each ping */
  add (socket: WebSocket, onPing: () => void): void
  remove (socket: WebSocket): void
  /** The client has answered, or its answer has not been read. */
  answered (socket: WebSocket): void
  end (): void
}

/** Thousands of pings at once would delay the messages of all clients. */
const SLICES = 20

interface Pinged {
  onPing (): void
  slice: number
  isUnanswered: boolean
}

/**
 * @param interval milliseconds between two pings of a client
 * @param onSilent called with a client that has not answered a ping by the next one
 */
export function createLiveness (interval: number, onSilent: (socket: WebSocket) => void): Liveness {
  const clients = new Map<WebSocket, Pinged>()
  let added = 0
  let slice = 0
  const timer = setInterval(pingSlice, interval / SLICES)

  function pingSlice (): void {
    slice = (slice + 1) % SLICES
    for (const [socket, client] of clients) if (client.slice === slice) ping(socket, client)
  }

  function ping (socket: WebSocket, client: Pinged): void {
    // The answer of a client that is not read waits in its connection.
    if (client.isUnanswered && !socket.isPaused) return onSilent(socket)
    if (socket.readyState !== socket.OPEN) return
    client.isUnanswered = true
    socket.ping()
    client.onPing()
  }

  return {
    add: (socket, onPing) => { clients.set(socket, { onPing, slice: added++ % SLICES, isUnanswered: false }) },
    remove: (socket) => { clients.delete(socket) },
    answered (socket) {
      const client = clients.get(socket)
      if (client !== undefined) client.isUnanswered = false
    },
    end: () => clearInterval(timer)
  }
}
