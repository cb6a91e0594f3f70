import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { WebSocket } from 'ws'
import { PATH, session } from '../../support/build-app.js'
import type { Random } from '../race/random.mjs'

const RELEASE_PATH = PATH.replace('getConnectionInfo', 'releaseConnection')
/** Number of rooms that a gateway can know within its ten minutes of memory, so that its caches fill soon. */
const ROOMS = 3000
const CLIENT_MS = 3000

export interface Load {
  counts: Record<string, number>
  /** Ends all pending work, and leaves no connection open. */
  stop (): Promise<void>
}

/**
 * Simulates customers and agents who meet in one room after the other, stay briefly, and leave, reload or end the call.
 */
export function startLoad (url: string, token: string, roomsAtOnce: number, random: Random): Load {
  const pool = new Pool(url, { connections: 20, pipelining: 1, keepAliveTimeout: 200 })
  const counts: Record<string, number> = {}
  const count = (what: string) => { counts[what] = (counts[what] ?? 0) + 1 }
  const over = new AbortController()

  async function post (path: string, body: object) {
    const headers = { 'content-type': 'application/json', 'ccmessaging-token': token }
    const response = await pool.request({ method: 'POST', path, headers, body: JSON.stringify(body) })
    return await response.body.json() as { retCode: string, data?: { wssUrl: string, signature: string } }
  }

  /** @returns a socket with a seat; undefined if the gateway or the node rejects */
  async function enter (roomId: string, role: string): Promise<WebSocket | undefined> {
    const { retCode, data } = await post(PATH, { roomId, userId: session.userId, userName: 'n', role })
    count(`asked ${retCode}`)
    if (data === undefined) return undefined
    const socket = new WebSocket(data.wssUrl, ['cobrowse.v1', data.signature])
    const isInside = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), CLIENT_MS)
      socket.once('message', () => resolve(true)).once('error', () => resolve(false)).once('close', () => resolve(false))
      socket.once('close', () => clearTimeout(timer))
    })
    count(isInside ? 'inside' : 'turned away')
    if (isInside) return socket
    socket.terminate()
    return undefined
  }

  async function play (): Promise<void> {
    const roomId = `room-${Math.floor(random.next() * ROOMS)}`
    const sockets = await Promise.all(['recorder', 'replayer'].map(async (role) => await enter(roomId, role)))
    await sleep(random.between(0, 300))
    if (random.next() < 0.2) {
      sockets[1]?.terminate()
      sockets[1] = await enter(roomId, 'replayer')
    }
    if (random.next() < 0.3) count(`ended ${(await post(RELEASE_PATH, { callId: roomId })).retCode}`)
    for (const socket of sockets) socket?.terminate()
    count('rooms')
  }

  async function playOneAfterTheOther (): Promise<void> {
    while (!over.signal.aborted) await play().catch(() => count('lost'))
  }

  const playing = Array.from({ length: roomsAtOnce }, playOneAfterTheOther)
  return {
    counts,
    async stop () {
      over.abort()
      await Promise.all(playing)
      await pool.close()
    }
  }
}
