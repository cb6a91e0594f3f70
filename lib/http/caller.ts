import { LinkedList } from '../common/linked-list.js'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Linked } from '../common/linked-list.js'

/** A request that waits for its answer. */
export interface Waiting extends Linked<Waiting> {
  /** The connection of the caller is closed. */
  callerGone (): void
}

/** One listener per connection, even if many requests are pipelined on it. */
const waitingOn = new WeakMap<Socket, LinkedList<Waiting>>()

/**
 * Tells a request when its connection is closed. A response that waits behind others for its connection emits nothing
 * when that is reset, so the connection is watched. On HTTP/2 `socket` stands for the request's stream.
 */
export function watchCaller ({ socket }: IncomingMessage, request: Waiting): void {
  if (socket.destroyed) return request.callerGone()
  const waiting = waitingOn.get(socket) ?? watch(socket)
  waiting.add(request)
}

export function unwatchCaller ({ socket }: IncomingMessage, request: Waiting): void {
  waitingOn.get(socket)?.remove(request)
}

function watch (socket: Socket): LinkedList<Waiting> {
  const waiting = new LinkedList<Waiting>()
  waitingOn.set(socket, waiting)
  socket.once('close', () => {
    for (let { first } = waiting; first !== undefined; { first } = waiting) {
      waiting.remove(first)
      first.callerGone()
    }
  })
  return waiting
}
