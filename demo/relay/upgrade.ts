import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket'

/**
 * Options of a server that treats other upgrade requests as plain ones: RFC 9110 section 7.8 lets it ignore the header.
 * A Java HttpClient asks for h2c with every POST. Node.js before 22.21 and 24.9 does not know the option and gives such
 * a request to the upgrade listener with its body unread: `listenForUpgrades` hands it back.
 */
export const UPGRADE_OPTIONS = { shouldUpgradeCallback: isWebSocket }

/** Passes WebSocket handshakes to `onWebSocket`, and returns every other upgrade request to the server. */
export function listenForUpgrades (server: Server, onWebSocket: UpgradeHandler): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node.js takes its own listener off the socket: without another one, a reset would end the process.
    socket.on('error', () => socket.destroy())
    if (isWebSocket(request)) onWebSocket(request, socket, head)
    else handBack(server, request, socket, head)
  })
}

function handBack (server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? ''
    if (/^(upgrade|connection|http2-settings)$/i.test(name)) continue
    lines.push(`${name}: ${request.rawHeaders[index + 1]}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
}

/** Answers a handshake without a WebSocket, and closes even if the client does not. */
export function refuseUpgrade (socket: Duplex, status: string): void {
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
