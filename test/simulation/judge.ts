import { roomName } from '../../lib/registry/room-name.js'
import { createHash } from 'node:crypto'
import type { SeatEnd } from '../../types/node.js'
import type { RoomKey } from '../../types/registry.js'
import type { Reply } from './redis-data.js'
import type { Client, Relay, Signature, World } from './world.js'

/** Where the rooms begin among the keys of a script. */
const FIRST_ROOM = 6

/** Watches a world and notes every invariant that it breaks. */
export class Judge {
  readonly broken: string[] = []
  readonly #world: World
  /** Until when the store promised a registration to be alive. A flush does not take that back. */
  readonly #promised = new Map<string, number>()
  /** Normal signatures, by room. */
  readonly #issued = new Map<string, Signature[]>()
  readonly #admitted = new Set<string>()
  /** When calls ended, by room; and those that the room's node has closed since. */
  readonly #released = new Map<string, number>()
  readonly #heard = new Set<string>()
  /** Rooms that a node claimed and did not release, though it may not know yet: it hears of the end of their calls. */
  readonly #claimed = new Set<string>()
  /** Which registration got a room last, by the room's key. */
  readonly #holders = new Map<string, string>()
  /** On which node both clients of a room were, before what happens now. */
  readonly #together = new Map<string, Relay>()
  /** Whose node was stopped by an operator. */
  readonly leaving = new Set<Relay>()

  constructor (world: World) {
    this.#world = world
  }

  #breaks (invariant: string, what: string): void {
    this.broken.push(`${invariant} at ${this.#world.timeline.now % 10_000_000}: ${what}`)
  }

  /** A script ran. */
  sees (name: string, keys: string[], args: string[], reply: Reply): void {
    const now = this.#world.timeline.now
    if (!Array.isArray(reply)) {
      if (name === 'END' && reply === 'ok') this.#roomEnded(keys[FIRST_ROOM] ?? '', now)
      if (name === 'RELEASE' && reply === 1) this.#claimed.delete(keys[FIRST_ROOM] ?? '')
      if (name === 'LEAVE') for (const member of args.slice(5)) this.#promised.set(member, now)
      return
    }
    const member = name === 'ASSIGN' ? String(reply[1]) : String(args[5])
    // By the store's own clock, which says so.
    const at = Number(reply[name === 'ASSIGN' ? 3 : 1])
    if (name === 'REGISTER' && reply[0] === 'ok') {
      const [id] = member.split('|')
      for (const other of this.#promised.keys()) {
        if (other.startsWith(`${id}|`) && other !== member && this.#lives(other, at)) this.#promised.set(other, at)
      }
    }
    if ((name === 'REGISTER' || name === 'BEAT') && reply[0] === 'ok') this.#promised.set(member, at + this.#world.times.lease)
    if (name === 'ASSIGN' && (reply[0] === 'bound' || reply[0] === 'chosen') && !this.#lives(member, at)) {
      this.#breaks('I3', `${member} is chosen and was declared dead`)
    }
    this.#noteHolders(name, keys.slice(FIRST_ROOM), member, reply)
  }

  #lives (member: string, at: number): boolean {
    return (this.#promised.get(member) ?? 0) > at
  }

  #roomEnded (key: string, now: number): void {
    const room = this.#world.rooms.find((room) => key.endsWith(hashOf(room)))
    if (room === undefined) return
    this.#released.set(roomName(room), now)
    const isOpen = this.#claimed.has(key) || this.#world.relays.some(({ membership }) => membership?.holds(room))
    if (isOpen) this.#heard.delete(roomName(room))
    else this.#heard.add(roomName(room))
  }

  issued (signature: Signature): void {
    const { subject: { node, joinOnly, tenant, room, issuedAt: now } } = signature
    if (joinOnly) return
    const name = roomName({ tenant, room })
    const earlier = (this.#issued.get(name) ?? [])
      .filter(({ expiresAt }) => (expiresAt + this.#world.times.skew) * 1000 > now)
    for (const { subject: { node: other } } of earlier) {
      const isOther = other.id !== node.id || other.incarnation !== node.incarnation
      if (isOther && this.#lives(`${other.id}|${other.incarnation}`, now)) {
        this.#breaks('I1', `${room} is signed for ${node.id} while signatures for the living ${other.id} are good`)
      }
    }
    this.#issued.set(name, [...earlier, signature])
  }

  admitted (relay: Relay, { subject, expiresAt, id }: Signature): void {
    const { tenant, room, joinOnly, node } = subject
    const now = this.#world.timeline.now
    if (this.#admitted.has(id)) this.#breaks('I5', `${id} is admitted twice`)
    this.#admitted.add(id)
    if (now >= (expiresAt + this.#world.times.skew) * 1000) this.#breaks('I5', `${id} is admitted after its end`)
    if (joinOnly) return
    if (!this.#lives(`${node.id}|${node.incarnation}`, now)) this.#breaks('I8', `${relay.id} admits after its lease ended`)
    const name = roomName({ tenant, room })
    const releasedAt = this.#released.get(name)
    if (releasedAt !== undefined && subject.issuedAt < releasedAt && this.#heard.has(name)) {
      this.#breaks('REL', `${id} from before the release is admitted after it`)
    }
  }

  /** The store lost its memory, that of ended calls as well: docs/affinity.md says so. */
  forgot (): void {
    this.#released.clear()
  }

  /** The node sent a client away. */
  ended ({ key }: Client, relay: Relay, { reason }: SeatEnd): void {
    const name = roomName(key)
    if (reason.includes('call ended')) {
      this.#heard.add(name)
      return
    }
    if (this.#together.get(name) !== relay) return
    if (this.leaving.has(relay) || relay.node?.status().state === 'replaced') return
    const holder = this.#holderOf(key)
    const what = `${key.room} with both inside is closed by ${relay.id} (${reason})`
    if (!relay.isAtFault) this.#breaks('I25', `${what}, which did nothing wrong`)
    else if (holder === undefined || holder.startsWith(`${relay.id}|`)) {
      this.#breaks('I25', `${what}, though nobody was sent elsewhere`)
    }
  }

  #noteHolders (name: string, rooms: string[], member: string, reply: Reply[]): void {
    const [outcome, , , claims] = reply
    if (name === 'ASSIGN' && (outcome === 'bound' || outcome === 'chosen')) this.#holders.set(rooms[0] ?? '', member)
    if (outcome !== 'ok' || !Array.isArray(claims)) return
    for (const [at, room] of rooms.entries()) {
      if (claims[at * 2] !== 'ok') continue
      this.#holders.set(room, member)
      this.#claimed.add(room)
    }
  }

  #holderOf (room: RoomKey): string | undefined {
    return [...this.#holders].find(([key]) => key.endsWith(hashOf(room)))?.[1]
  }

  /** After everything that happens. */
  look (): void {
    for (const key of this.#world.rooms) {
      const open = this.#world.relays.filter(({ process, membership }) => !process.isPaused && membership?.holds(key))
      if (open.length > 1) this.#breaks('I2', `${open.map(({ id }) => id)} would admit to ${key.room}`)
      const relay = this.#world.nodeOf(key)
      if (relay === undefined) this.#together.delete(roomName(key))
      else this.#together.set(roomName(key), relay)
    }
    for (const relay of this.#world.relays) this.#excuse(relay)
  }

  /** A node was at fault until it holds all its rooms again. */
  #excuse (relay: Relay): void {
    const { process, link, membership, node } = relay
    if (process.isPaused || link.isCut || link.next !== undefined) relay.isAtFault = true
    else if (relay.isAtFault && membership?.valid() && node !== undefined && this.#world.redis.late === 0) {
      const inside = this.#world.clients.filter((client) => client.relay === relay)
      relay.isAtFault = !inside.every(({ key }) => membership.holds(key))
    }
  }
}

function hashOf (room: RoomKey): string {
  return createHash('sha256').update(roomName(room)).digest('base64url')
}
