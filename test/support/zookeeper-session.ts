import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

const TRIES = 20
const CLOSE_SESSION = -11

/**
 * Takes over a session and closes it. The password of a session is derived from its id: see
 * SessionTrackerImpl and `generatePasswd` in org.apache.zookeeper.server.ZooKeeperServer.
 */
export async function endSession (port: number, sessionId: string): Promise<void> {
  const id = BigInt(`0x${sessionId}`)
  for (let left = TRIES; left > 0; left--) {
    if (!await takeAndClose(port, id)) return
  }
  throw new Error('the session did not end')
}

/** @returns true if the session existed */
async function takeAndClose (port: number, id: bigint): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(connectRequest(id))
    socket.write(closeRequest())
    return await isGranted(socket)
  } finally {
    socket.destroy()
  }
}

async function isGranted (socket: Socket): Promise<boolean> {
  let bytes = Buffer.alloc(0)
  socket.on('data', (data) => { bytes = Buffer.concat([bytes, data]) })
  await once(socket, 'close')
  return bytes.length >= 12 && bytes.readInt32BE(8) > 0
}

function connectRequest (id: bigint): Buffer {
  const body = Buffer.alloc(44)
  body.writeInt32BE(20_000, 12)
  body.writeBigUInt64BE(BigInt.asUintN(64, id), 16)
  body.writeInt32BE(16, 24)
  passwordOf(id).copy(body, 28)
  return frame(body)
}

function closeRequest (): Buffer {
  const body = Buffer.alloc(8)
  body.writeInt32BE(1, 0)
  body.writeInt32BE(CLOSE_SESSION, 4)
  return frame(body)
}

export function frame (body: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}

/** Computes the first 16 bytes of java.util.Random, seeded with the id and the server's "secret". */
function passwordOf (id: bigint): Buffer {
  const mask = (1n << 48n) - 1n
  const password = Buffer.alloc(16)
  let seed = ((id ^ 0xB3415C00n) ^ 0x5DEECE66Dn) & mask
  for (let at = 0; at < password.length; at += 4) {
    seed = (seed * 0x5DEECE66Dn + 0xBn) & mask
    password.writeUInt32LE(Number((seed >> 16n) & 0xFFFFFFFFn), at)
  }
  return password
}
