import { once } from 'node:events'
import { WebSocket } from 'ws'

const EVENT = '451-["m",{"_placeholder":true,"num":0}]'

/** How each server is spoken to: all by the same WebSocket library, so that the load costs the same. */
const KINDS = {
  bare: {
    open: ({ port, room }) => new WebSocket(`ws://127.0.0.1:${port}/?room=${room}`),
    ready: async () => {},
    send: (socket, data) => socket.send(data)
  },

  /** Engine.IO 4 and Socket.IO 5, as far as a client of one event needs them. */
  'socket.io': {
    open: ({ port, room }) => new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket&room=${room}`),
    async ready (socket) {
      socket.on('message', (data, isBinary) => {
        if (isBinary) return
        if (String(data) === '2') socket.send('3')
        else if (String(data).startsWith('0')) socket.send('40')
      })
      while (!String((await once(socket, 'message'))[0]).startsWith('40'));
    },
    send (socket, data) {
      socket.send(EVENT)
      socket.send(data)
    }
  },

  ours: {
    open: ({ port, signature }) => new WebSocket(`ws://127.0.0.1:${port}/ws`, ['cobrowse.v1', signature]),
    // The first message tells who is in the room.
    ready: async (socket) => await once(socket, 'message'),
    send: (socket, data) => socket.send(data)
  }
}

/**
 * Connects a client to a room.
 *
 * @param {'bare' | 'socket.io' | 'ours'} kind
 * @param {{ port: number, room: string, signature?: string | undefined }} place
 * @param {(data: Buffer) => void} onMessage called with each binary message
 */
export async function connectClient (kind, place, onMessage) {
  const { open, ready, send } = KINDS[kind]
  const socket = open(place)
  // The bench ends servers while clients are connected.
  socket.on('error', () => {})
  const isReady = ready(socket)
  await once(socket, 'open')
  await isReady
  socket.on('message', (data, isBinary) => { if (isBinary) onMessage(data) })
  return { send: (data) => send(socket, data), close: () => socket.terminate() }
}
