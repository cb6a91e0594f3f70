import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { IncomingMessage, Server as BareHttpServer, ServerResponse } from 'node:http'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import type { Test } from 'tap'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface ScriptedServer {
  /** Has `localhost` as its host, since the certificates name it. */
  url: string
  port: number
  /** Requests so far. */
  requests: IncomingMessage[]
  /** Number of connections so far. */
  connections (): number
  /** Changes all later answers. */
  answer (next: Answer): void
  /** Rejects new connections and closes open ones; `start` listens again on the same port. */
  stop (): Promise<void>
  start (): Promise<void>
}

export const tlsFixture = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url))

export const json = (value: unknown, status = 200): Answer => (_request, response) => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
export const text = (body: string | Buffer, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) => { response.writeHead(status, headers).end(body) }
export const address = (value: unknown) => json({ data: { address: value } })
/** Answers one after the other, and repeats the last. */
export const inTurn = (...answers: Answer[]): Answer => {
  let turn = 0
  return (request, response) => answers[Math.min(turn++, answers.length - 1)]?.(request, response)
}

/** Starts an HTTP server on a free port, over TLS if a certificate of the fixtures is named. */
export async function startHttpServer (t: Test, first: Answer, certificate?: string): Promise<ScriptedServer> {
  let current = first
  const requests: IncomingMessage[] = []
  const onRequest: Answer = (request, response) => {
    requests.push(request)
    current(request, response)
  }
  const server = certificate === undefined
    ? createHttpServer(onRequest)
    : createHttpsServer({ cert: tlsFixture(certificate), key: tlsFixture('server-key.pem') }, onRequest)
  const { port, connections, stop, start } = await listen(t, server, () => server.closeAllConnections())
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://localhost:${port}`,
    port,
    requests,
    connections,
    stop,
    start,
    answer (next) {
      current = next
    }
  }
}

export interface RawServer {
  url: string
  connections (): number
}

/** Starts a TCP server that sends arbitrary bytes, HTTP or not. `onAsk` is called for every chunk received. */
export async function startRawServer (
  t: Test, onAsk: (socket: Socket, asked: number) => void
): Promise<RawServer> {
  const sockets = new Set<Socket>()
  let asked = 0
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', () => onAsk(socket, ++asked))
  })
  const { port, connections } = await listen(t, server, () => sockets.forEach((socket) => socket.destroy()))
  return { url: `http://localhost:${port}`, connections }
}

async function listen (t: Test, server: TcpServer | BareHttpServer, endConnections: () => void) {
  let count = 0
  let port = 0
  server.on('connection', () => count++)
  async function start (): Promise<void> {
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    // A server that listens on a port has no pipe address.
    port = (server.address() as AddressInfo).port
  }
  async function stop (): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    endConnections()
    await closed
  }
  await start()
  t.teardown(stop)
  return { port, connections: () => count, start, stop }
}
