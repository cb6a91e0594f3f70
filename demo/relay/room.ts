import type { RawData, WebSocket } from 'ws'
import type { Seat } from '../../lib/node/index.js'

/** Limit of unsent data for a client that reads too slowly. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024

export interface Member {
  /** Unique on this node, and never used for another client. */
  id: number
  user: string
  name: string
  role: Seat['role']
}

/** The clients of one room, in the order of their arrival. */
export interface RelayRoom {
  members (): Member[]
  /** @returns removes the client; nothing if another customer shares in the room and must not be displaced */
  add (socket: WebSocket, member: Member): (() => void) | undefined
  /** Tells every client which members are connected. */
  greet (): void
}

/**
 * Passes messages of the recorder to the replayers, and those of a replayer to the recorder. Messages of clients are
 * passed on as binary: a text message always comes from the node.
 */
export function createRelayRoom (): RelayRoom {
  const clients = new Map<WebSocket, Member>()

  const isOfAnother = ({ role, user }: Member) => role === 'recorder' &&
    [...clients.values()].some((client) => client.role === 'recorder' && client.user !== user)

  /** A page that was opened a second time takes over: two streams would make one broken picture. */
  function findRecorder (): WebSocket | undefined {
    return [...clients].findLast(([, { role }]) => role === 'recorder')?.[0]
  }

  const replayers = () => [...clients.keys()].filter((client) => clients.get(client)?.role === 'replayer')

  function receiversOf (socket: WebSocket): WebSocket[] {
    const recorder = findRecorder()
    if (socket === recorder) return replayers()
    return recorder !== undefined && clients.get(socket)?.role === 'replayer' ? [recorder] : []
  }

  function greet (): void {
    const members = [...clients.values()]
    for (const [socket, { id }] of clients) pass(socket, JSON.stringify({ type: 'members', you: id, members }), false)
  }

  return {
    members: () => [...clients.values()],
    add (socket, member) {
      if (isOfAnother(member)) return undefined
      clients.set(socket, member)
      socket.on('message', (data) => {
        for (const receiver of receiversOf(socket)) pass(receiver, data, true)
      })
      greet()
      return () => {
        if (clients.delete(socket)) greet()
      }
    },
    greet
  }
}

/** A client that does not read is disconnected, so that it does not fill the memory of the node. */
function pass (socket: WebSocket, data: RawData | string, binary: boolean): void {
  if (socket.bufferedAmount > MAX_WAITING_BYTES) socket.terminate()
  else socket.send(data, { binary })
}
