import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** One listener per connection, even if many requests are pipelined on it. */
const listenersOf = new WeakMap<Socket, Set<() => void>>()

/**
 * Calls `onGone` once the connection of a request is closed. A response that waits behind others for its connection
 * emits nothing when that is reset, so the connection is watched. On HTTP/2 `socket` stands for the request's stream.
 *
 * @returns stops watching
 */
export function watchCaller ({ socket }: IncomingMessage, onGone: () => void): () => void {
  if (socket.destroyed) {
    onGone()
    return () => {}
  }
  const listeners = listenersOf.get(socket) ?? listenTo(socket)
  listeners.add(onGone)
  return () => listeners.delete(onGone)
}

function listenTo (socket: Socket): Set<() => void> {
  const listeners = new Set<() => void>()
  listenersOf.set(socket, listeners)
  socket.once('close', () => {
    for (const onGone of listeners) onGone()
  })
  return listeners
}
