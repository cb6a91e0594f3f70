import { WebSocketServer } from 'ws'
import { verifySignature } from '../lib/index.js'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Membership, Registry, RoomKey, SignatureClaims, SigningOptions } from '../types/index.js'

const SUB_PROTOCOL = 'cobrowse.v1'
const MAX_MESSAGE_BYTES = 1024 * 1024
const BAD_SIGNATURE = 4401
const USED_ALREADY = 4408
const MOVED = 4410
const NO_REGISTRY = 4503

export interface RelayOptions {
  id: string
  path: string
  wssUrl: string
  registry: Registry
  signing: Pick<SigningOptions, 'keys'> & { ttl: number, skew: number }
}

export interface Relay {
  readonly path: string
  /** Takes over a WebSocket handshake for this relay's path. */
  upgrade (request: IncomingMessage, socket: Duplex, head: Buffer): void
  close (): Promise<void>
}

/** A relay node: whoever shows a signature for it joins a room, and hears what the others in the room send. */
export async function startRelay ({ id, path, wssUrl, registry, signing }: RelayOptions): Promise<Relay> {
  const membership = await registry.join({ id, wssUrl })
  const rooms = new Map<string, { key: RoomKey, sockets: Set<WebSocket> }>()
  const used = createUsedIds()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => offered.has(SUB_PROTOCOL) ? SUB_PROTOCOL : false
  })

  async function admit (socket: WebSocket, request: IncomingMessage): Promise<void> {
    const seat = await checkSignature(request, membership, signing)
    if (seat === undefined) return socket.close(BAD_SIGNATURE, 'bad or expired signature')
    const key = { tenant: seat.tenant, room: seat.room }
    const refusal = await claim(membership, key)
    if (refusal !== undefined) return socket.close(refusal, 'ask again')
    if (!used.add(seat.id, seat.expiresAt + signing.skew)) return socket.close(USED_ALREADY, 'used already')
    join(socket, key)
  }

  function join (socket: WebSocket, key: RoomKey): void {
    const name = JSON.stringify([key.tenant, key.room])
    const room = rooms.get(name) ?? { key, sockets: new Set() }
    rooms.set(name, room)
    room.sockets.add(socket)
    socket.on('message', (data, binary) => {
      for (const other of room.sockets) if (other !== socket) other.send(data, { binary })
    })
    const leave = () => {
      room.sockets.delete(socket)
      if (room.sockets.size > 0 || rooms.get(name) !== room) return
      rooms.delete(name)
      // A registry that is away forgets the claim by itself.
      membership.release(key).catch(() => {})
    }
    if (socket.readyState === socket.OPEN) socket.on('close', leave)
    else leave()
  }

  return {
    path,
    upgrade (request, socket, head) {
      server.handleUpgrade(request, socket, head, (client) => {
        // A socket that resets while its signature is checked must not end the process.
        client.on('error', () => client.terminate())
        admit(client, request).catch(() => client.close(NO_REGISTRY, 'cannot reach the registry'))
      })
    },
    async close () {
      for (const client of server.clients) client.close(MOVED, 'ask again')
      server.close()
      await membership.leave()
    }
  }
}

async function checkSignature (
  request: IncomingMessage, { id, incarnation }: Membership, signing: RelayOptions['signing']
): Promise<SignatureClaims | undefined> {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const signature = offered.find((name) => name !== SUB_PROTOCOL) ?? ''
  return await verifySignature(signature, { ...signing, node: { id, incarnation } }).catch(() => undefined)
}

/** Returns the close code where the room cannot be opened here. */
async function claim (membership: Membership, key: RoomKey): Promise<number | undefined> {
  if (!membership.valid()) return MOVED
  return await membership.claim(key) === 'ok' ? undefined : MOVED
}

/** Ids of signatures that were accepted, for as long as they could be shown again. */
function createUsedIds () {
  const ends = new Map<string, number>()
  return {
    /** `false` when it is there already. */
    add (id: string, end: number): boolean {
      const now = Date.now() / 1000
      for (const [old, oldEnd] of ends) {
        if (oldEnd > now) break
        ends.delete(old)
      }
      if (ends.has(id)) return false
      ends.set(id, end)
      return true
    }
  }
}
