import { once } from 'node:events'
import { createServer } from 'node:net'
import { frame } from './zookeeper-session.js'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'

export interface FakeZooKeeper {
  readonly hosts: string
  /** Number of accepted connections. */
  readonly accepted: number
}

/** Answers to the first request of a connection, and to those after it. */
export interface FakeAnswers {
  connect (socket: Socket): void
  request? (socket: Socket, request: { xid: number, type: number }): void
}

/** Starts a server that sends the bytes of a test. */
export async function startFakeZooKeeper (t: Test, answers: FakeAnswers): Promise<FakeZooKeeper> {
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer((socket) => {
    let bytes = Buffer.alloc(0)
    let isConnected = false
    accepted++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data])
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const request = bytes.subarray(4, 4 + bytes.readInt32BE(0))
        bytes = bytes.subarray(4 + request.length)
        if (isConnected) answers.request?.(socket, { xid: request.readInt32BE(0), type: request.readInt32BE(4) })
        else answers.connect(socket)
        isConnected = true
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  // A listening server has a port.
  const { port } = server.address() as AddressInfo
  return {
    hosts: `127.0.0.1:${port}`,
    get accepted () {
      return accepted
    }
  }
}

export function grant (sessionTimeout: number): Buffer {
  const body = Buffer.alloc(37)
  body.writeInt32BE(sessionTimeout, 4)
  body.writeBigUInt64BE(0x1234n, 8)
  body.writeInt32BE(16, 16)
  return frame(body)
}

/** @param err error code of ZooKeeper's exceptions; -101 is a missing znode */
export function reply (xid: number, err: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32BE(xid, 0)
  header.writeInt32BE(err, 12)
  return frame(Buffer.concat([header, payload]))
}
