import type { WebSocket } from 'ws'

/** Finds connections whose client is gone. Such a client never closes, and would keep its room open. */
export interface Liveness {
  /** Pings all; a client that has not answered the previous ping is disconnected. */
  ping (sockets: Iterable<WebSocket>): void
  /** The client has answered, or its answer has not been read. */
  answered (socket: WebSocket): void
}

export function createLiveness (onSilent: (socket: WebSocket) => void): Liveness {
  const unanswered = new WeakSet<WebSocket>()

  function pingOne (socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return
    unanswered.add(socket)
    socket.ping()
  }

  return {
    ping (sockets) {
      for (const socket of sockets) {
        // The answer of a client that is not read waits in its connection.
        if (unanswered.has(socket) && !socket.isPaused) onSilent(socket)
        else pingOne(socket)
      }
    },
    answered: (socket) => { unanswered.delete(socket) }
  }
}
