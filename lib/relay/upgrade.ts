import type { IncomingMessage, Server, ServerOptions } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Relay } from '../../types/relay.js'

/** The node of a path; nothing while it is not registered. */
export type FindRelay = () => Pick<Relay, 'upgrade'> | undefined

/** Makes a URL of a target that is only a path. */
const BASE = 'ws://relay'

/** The nodes of each server, by path. */
const nodesOf = new WeakMap<Server, Map<string, FindRelay>>()

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket'

/**
 * Options of a server that treats other upgrade requests as plain ones, as RFC 9110 section 7.8 allows: a Java
 * HttpClient asks for h2c with every POST. Node.js before 22.21 and 24.9 does not know the option, and gives such a
 * request to the upgrade listener with its body unread: `handleUpgrades` hands it back.
 */
// The types of Node.js 20 do not know the option.
export const UPGRADE_OPTIONS = Object.assign<ServerOptions, object>({}, { shouldUpgradeCallback: isWebSocket })

/**
 * Passes WebSocket handshakes at a path to its relay node. Without a node they are answered 503, and those at an
 * unknown path 404, unless the server has another listener for them.
 *
 * @returns ends that
 * @throws Error if the path is taken
 */
export function handleUpgrades (server: Server, path: string, find: FindRelay): () => void {
  const nodes = nodesOf.get(server) ?? listen(server)
  if (nodes.has(path)) throw new Error(`two relay nodes of one server have the path ${path}: give one another "path"`)
  nodes.set(path, find)
  return () => { nodes.delete(path) }
}

function listen (server: Server): Map<string, FindRelay> {
  const nodes = new Map<string, FindRelay>()
  nodesOf.set(server, nodes)
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const find = isWebSocket(request) ? nodes.get(pathOf(request.url ?? '/')) : undefined
    if (find === undefined && server.listenerCount('upgrade') > 1) return
    // Node.js takes its own listener off the socket: without another one, a reset would end the process.
    socket.on('error', () => socket.destroy())
    if (!isWebSocket(request)) return handBack(server, request, socket, head)
    const relay = find?.()
    if (relay !== undefined) relay.upgrade(request, socket, head)
    else refuseUpgrade(socket, find === undefined ? '404 Not Found' : '503 Service Unavailable')
  })
  return nodes
}

/** Path of a request target, which any caller chooses: some, such as `//`, are no URL and have no path. */
function pathOf (target: string): string {
  return URL.canParse(target, BASE) ? new URL(target, BASE).pathname : ''
}

/** Returns a request to the server as a plain one. */
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
