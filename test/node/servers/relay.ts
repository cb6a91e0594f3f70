import type { WebSocket } from 'ws'
import type { Seat } from '../../../lib/node/index.js'

/** Chooses the sub-protocol for the answer, never the signature beside it. */
export const PROTOCOL = {
  handleProtocols: (offered: Set<string>) => offered.has('cobrowse.v1') && 'cobrowse.v1' as const,
  maxPayload: 1024 * 1024
}

/** Passes each message of a client on to the other clients of the room. */
export function createRelay () {
  const rooms = new Map<string, Set<WebSocket>>()
  return (socket: WebSocket, seat: Seat): void => {
    const name = JSON.stringify([seat.tenant, seat.room])
    const sockets = rooms.get(name) ?? new Set()
    rooms.set(name, sockets.add(socket))
    const leave = () => {
      seat.leave()
      sockets.delete(socket)
      if (sockets.size === 0 && rooms.get(name) === sockets) rooms.delete(name)
    }
    seat.ended.then(({ code, reason }) => {
      leave()
      socket.close(code, reason)
    })
    socket.on('message', (data, binary) => {
      for (const other of sockets) if (other !== socket) other.send(data, { binary })
    })
    // The client may have left during the check.
    if (socket.readyState === socket.OPEN) socket.on('close', leave)
    else leave()
  }
}
