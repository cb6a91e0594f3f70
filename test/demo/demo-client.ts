import { on, once } from 'node:events'
import WebSocket from 'ws'
import { PATH } from '../support/build-app.js'
import type { ConnectionInfo } from '../../types/index.js'
import type { RunningDemo } from '../support/start-demo.js'

type Base = Pick<RunningDemo, 'base'>

export async function signIn ({ base }: Base, userId: string): Promise<string> {
  const response = await fetch(`${base}/demo/session`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId, userName: userId })
  })
  return (await response.json() as { token: string }).token
}

export interface Answer {
  retCode: string
  data: ConnectionInfo
}

/** Signs in and asks for a room. */
export async function ask (demo: Base, userId: string, role: string, roomId = 'room-1'): Promise<Answer> {
  const response = await fetch(demo.base + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'ccmessaging-token': await signIn(demo, userId) },
    body: JSON.stringify({ roomId, userId, userName: userId, role })
  })
  return await response.json() as Answer
}

export async function open ({ wssUrl = '' }: ConnectionInfo, ...protocols: string[]): Promise<WebSocket> {
  const socket = new WebSocket(wssUrl, protocols)
  await once(socket, 'open')
  return socket
}

export async function closeCode (socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close')
  return code
}

/** Sends until the other side receives the text, since that side may still be joining the room. */
export async function sendUntilReceived (from: WebSocket, to: WebSocket, text: string): Promise<string> {
  const again = setInterval(() => from.send(text), 50)
  try {
    // Text messages come from the node.
    for await (const [data, isBinary] of on(to, 'message', { close: ['close'], signal: AbortSignal.timeout(20_000) })) {
      if (isBinary) return String(data)
    }
    throw new Error(`the receiver was closed before "${text}" arrived`)
  } finally {
    clearInterval(again)
  }
}
