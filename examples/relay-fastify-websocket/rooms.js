/** Rooms of one node: messages of one client of a room go to the others. */
export function createRooms () {
  const rooms = new Map()

  /** @param seat the seat that `node.admit` resolved to */
  return function enter (socket, { tenant, room, leave, ended }) {
    const name = JSON.stringify([tenant, room])
    const sockets = rooms.get(name) ?? new Set()
    rooms.set(name, sockets.add(socket))
    socket.on('message', (data, isBinary) => {
      for (const other of sockets) if (other !== socket) other.send(data, { binary: isBinary })
    })

    function goAway () {
      leave()
      sockets.delete(socket)
      if (sockets.size === 0 && rooms.get(name) === sockets) rooms.delete(name)
    }
    ended.then(({ code, reason }) => {
      goAway()
      socket.close(code, reason)
    })
    // The client may have gone during the admission.
    if (socket.readyState === socket.OPEN) socket.on('close', goAway)
    else goAway()
  }
}
