import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { WebSocketServer } from 'ws'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { WebSocket } from 'ws'

type Answer = (request: IncomingMessage, response: ServerResponse, base: string) => void

export interface ScriptedSite {
  base: string
  /** Milliseconds between incoming requests. */
  asked: number[]
  bodies: unknown[]
}

/**
 * Starts a gateway and a node that answer as ours never do: each request takes the next answer, the last is repeated.
 */
export async function startScriptedSite (
  t: Test, answers: Answer[], attend: (socket: WebSocket) => void = () => {}
): Promise<ScriptedSite> {
  const asked: number[] = []
  const bodies: unknown[] = []
  const server = createServer((request, response) => {
    asked.push(performance.now())
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    json(request).catch(() => undefined).then((body) => {
      bodies.push(body)
      answer?.(request, response, `ws://127.0.0.1:${port}`)
    })
  })
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'cobrowse.v1' }).on('connection', attend)
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  t.teardown(() => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  return { base: `http://127.0.0.1:${port}`, asked, bodies }
}

/** Builds the gateway's answer that names the node. */
export const named = (change: Record<string, unknown> = {}): Answer => (_request, response, wssUrl) => {
  const data = { roomId: 'r', wssUrl, wssUrlOut: wssUrl, signature: 's', ...change }
  response.end(JSON.stringify({ retCode: '0', data }))
}

export const refused = (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  }

export const silent: Answer = () => {}
