import { once } from 'node:events'
import { createServer } from 'node:net'
import { ask, open } from './demo-client.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type WebSocket from 'ws'
import type { RunningDemo } from '../support/start-demo.js'
import type { ReplayEvent } from './hostile-page.js'

export interface Recorder {
  socket: WebSocket
  send (...events: ReplayEvent[]): void
  /** Number of full snapshots that the agent's page asked for. */
  asked (): number
}

/** Starts a customer's client that is not ours: the relay admits it, and it sends arbitrary events. */
export async function startRecorder (t: Test, demo: RunningDemo, room: string): Promise<Recorder> {
  const { data } = await ask(demo, 'mallory', 'recorder', room)
  const socket = await open(data, 'cobrowse.v1', data.signature)
  t.teardown(() => socket.terminate())
  let asked = 0
  socket.on('message', (message, isBinary) => { if (isBinary && String(message) === 'snapshot') asked++ })
  await once(socket, 'message')
  return {
    socket,
    send (...events) {
      for (const event of events) for (const message of toParts(JSON.stringify(event))) socket.send(message)
    },
    asked: () => asked
  }
}

/** Nodes limit the size of a message. */
const PART_CHARACTERS = 256 * 1024

function toParts (text: string): string[] {
  if (text.length <= PART_CHARACTERS) return [text]
  const parts = []
  for (let from = 0; from < text.length; from += PART_CHARACTERS) parts.push(text.slice(from, from + PART_CHARACTERS))
  return parts.map((part, place) => `${place === 0 ? '<' : place === parts.length - 1 ? '>' : '+'}${part}`)
}

export interface Canary {
  /** Address under another origin, by IP address and by name. */
  url: string
  port: number
  /** Number of connections opened, including those without a request. */
  connections (): number
}

export async function startCanary (t: Test): Promise<Canary> {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.on('error', () => socket.destroy())
    socket.on('data', () => socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://localhost:${port}/canary`, port, connections: () => connections }
}
