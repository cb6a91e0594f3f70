import { roomName } from '../../../lib/common/room-name.js'
import { createHash } from 'node:crypto'
import { JudgedMoves } from './judge-moves.js'
import type { SeatEnd } from '../../../types/node.js'
import type { RoomKey } from '../../../types/registry.js'
import type { Signature } from './signatures.js'
import type { Client, Relay, World } from './world.js'

type Decided = [signature: Signature, decidedAt: number]

export interface JudgedMove {
  at: number
  /** Moment by the clock of the caller, where that dates it. */
  dated?: number
  /** Whether the node has to give the room up first. */
  mustWait: boolean
}

/** Watches a world, and records every broken invariant. */
export class Judge {
  readonly broken: string[] = []
  readonly #world: World
  /** Times until which the store promised registrations to be alive. A flush does not change them. */
  readonly #promised = new Map<string, number>()
  /** Normal signatures by room, each with the latest time at which the store had decided it. */
  readonly #issued = new Map<string, Decided[]>()
  readonly #admitted = new Set<string>()
  /** Ends of calls by room, and the rooms that their node has closed since. */
  readonly #ended = new Map<string, number>()
  readonly #heard = new Set<string>()
  /**
   * Rooms that a node claimed and did not release. The node may not know of some, and still hears of the end of their
   * calls.
   */
  readonly #claimed = new Set<string>()
  /** Latest registration of each room, by the room's key. */
  readonly #holders = new Map<string, string>()
  /** Node with both clients of a room before the present event. */
  readonly #together = new Map<string, Relay>()
  /** Rooms whose call ever ended. */
  readonly #everEnded = new Set<string>()
  readonly moves = new JudgedMoves()
  /** Receives a description of each action of the store. */
  told: ((what: () => string) => void) | undefined

  constructor (world: World) {
    this.#world = world
  }

  breaks (invariant: string, what: string): void {
    this.broken.push(`${invariant} at ${this.#world.timeline.now % 10_000_000}: ${what}`)
  }

  /** Records the store's promise that a registration is alive until a time. */
  promise (member: string, until: number): void {
    this.#promised.set(member, until)
  }

  /** Records that the store withdrew its promises to other registrations of the same id. */
  displaceOthers (member: string, at: number): void {
    const [id] = member.split('|')
    for (const other of this.#promised.keys()) {
      if (other.startsWith(`${id}|`) && other !== member && this.lives(other, at)) this.#promised.set(other, at)
    }
  }

  /** Records the registration that a room, given by its key, is bound to. */
  bound (key: string, member: string, at: number): void {
    const [id = ''] = member.split('|')
    if (this.moves.isLeft(hashOfKey(key), id, at)) this.breaks('MOVE', `a moved room is bound to ${id} again`)
    else this.moves.bound(hashOfKey(key))
    this.#holders.set(key, member)
  }

  /** Records that an operator moved a room, given by its key, away from a node. */
  moved (key: string, id: string, { at, dated = at, mustWait }: JudgedMove): void {
    const room = hashOfKey(key)
    const { lease, ttl, skew } = this.#world.times
    this.moves.moved(room, id, at, dated + 2 * ((ttl + skew) * 1000 + lease))
    if (!mustWait) this.moves.gaveUpAtOnce(room, id, at)
  }

  /** Records that a node gave up a room, given by its key, that an operator moves. */
  acknowledged (key: string, id: string, at: number): void {
    this.moves.acknowledged(hashOfKey(key), id, at)
  }

  claimed (key: string): void {
    this.#claimed.add(key)
  }

  unclaimed (key: string): void {
    this.#claimed.delete(key)
  }

  lives (member: string, at: number): boolean {
    return (this.#promised.get(member) ?? 0) > at
  }

  /** Records the end of a call, given by the room's key. */
  callEnded (key: string, now: number): void {
    const room = this.#world.rooms.find((room) => key.endsWith(hashOf(room)))
    if (room === undefined) return
    this.#ended.set(roomName(room), now)
    this.#everEnded.add(roomName(room))
    const isOpen = this.#claimed.has(key) || this.#world.relays.some(({ membership }) => membership?.holds(room))
    if (isOpen) this.#heard.delete(roomName(room))
    else this.#heard.add(roomName(room))
  }

  issued (signature: Signature): void {
    const { subject: { joinOnly, tenant, room, issuedAt: now } } = signature
    if (joinOnly) return
    const name = roomName({ tenant, room })
    const decidedAt = this.#world.decidedAt(signature.subject)
    const { id } = signature.subject.node
    if (this.moves.isLeft(hashOf({ tenant, room }), id, decidedAt)) {
      this.breaks('MOVE', `${room} is signed for ${id}, which an operator moved it away from`)
    }
    const earlier = (this.#issued.get(name) ?? [])
      .filter(([{ expiresAt }]) => (expiresAt + this.#world.times.skew) * 1000 > now)
    for (const [other, otherAt] of earlier) this.#compare([other, otherAt], [signature, decidedAt])
    this.#issued.set(name, [...earlier, [signature, decidedAt]])
  }

  /**
   * A signature is issued when the store decides, however late the answer reaches the gateway. The signature decided
   * first must name a registration that was dead when the other was decided, or a node that had given up the room. Two
   * decisions of one millisecond may have come in either order, so they are a split only if both are one.
   */
  #compare ([one, oneAt]: Decided, [other, otherAt]: Decided): void {
    if (memberOf(one) === memberOf(other)) return
    const at = Math.max(oneAt, otherAt)
    const key = hashOf(one.subject)
    const isSplitBy = (first: Signature, firstAt: number, lastAt: number) => firstAt > lastAt ||
      (this.lives(memberOf(first), at) && !this.moves.hasGivenUp(key, first.subject.node.id, firstAt, lastAt))
    if (!isSplitBy(one, oneAt, otherAt) || !isSplitBy(other, otherAt, oneAt)) return
    const { room, node } = other.subject
    this.breaks('I1', `${room} is signed for ${node.id} while signatures for the living ${one.subject.node.id} are good`)
  }

  admitted (relay: Relay, { subject, expiresAt, id }: Signature): void {
    const { tenant, room, joinOnly, node } = subject
    const now = this.#world.timeline.now
    if (this.#admitted.has(id)) this.breaks('I5', `${id} is admitted twice`)
    this.#admitted.add(id)
    const { skew, clockError } = this.#world.times
    if (now >= (expiresAt + skew) * 1000 + clockError) this.breaks('I5', `${id} is admitted after its expiry`)
    if (joinOnly) return
    if (!this.lives(`${node.id}|${node.incarnation}`, now)) this.breaks('I8', `${relay.id} admits after its lease expired`)
    const name = roomName({ tenant, room })
    const endedAt = this.#ended.get(name)
    if (endedAt !== undefined && subject.issuedAt < endedAt && this.#heard.has(name)) {
      this.breaks('REL', `${id} from before the end of the call is admitted after it`)
    }
  }

  /** Forgets the ended calls with the store's memory, as docs/affinity.md says. */
  forgot (): void {
    this.#ended.clear()
    this.moves.forget()
  }

  /** Checks a client that its node disconnects. */
  ended ({ key }: Client, relay: Relay, { reason }: SeatEnd): void {
    const name = roomName(key)
    const wasMoved = this.moves.wasMovedFrom(hashOf(key), relay.id)
    if (reason.includes('call ended') && !wasMoved) {
      if (!this.#everEnded.has(name)) this.breaks('I25', `${key.room} is closed though neither its call ended nor it moved`)
      this.#heard.add(name)
      return
    }
    if (wasMoved || this.#together.get(name) !== relay) return
    if (relay.leaving !== undefined || relay.node?.status().state === 'replaced') return
    if (relay.node?.status().order?.kind === 'drain') return
    const holder = this.#holderOf(key)
    const what = `${key.room} with both inside is closed by ${relay.id} (${reason})`
    if (!relay.isAtFault) this.breaks('I25', `${what}, which did nothing wrong`)
    else if (holder === undefined || holder.startsWith(`${relay.id}|`)) {
      this.breaks('I25', `${what}, though no client was sent elsewhere`)
    }
  }

  #holderOf (room: RoomKey): string | undefined {
    return [...this.#holders].find(([key]) => key.endsWith(hashOf(room)))?.[1]
  }

  /** Checks the world after each event. */
  look (): void {
    for (const key of this.#world.rooms) {
      const open = this.#world.relays.filter(({ process, membership }) => !process.isPaused && membership?.holds(key))
      for (const { id, membership } of open) {
        if (this.lives(`${id}|${membership?.incarnation}`, this.#world.timeline.now)) continue
        this.breaks('I8', `${id} would admit to ${key.room} after its lease expired`)
      }
      if (open.length > 1) this.breaks('I2', `${open.map(({ id }) => id)} would admit to ${key.room}`)
      const relay = this.#world.nodeOf(key)
      if (relay === undefined) this.#together.delete(roomName(key))
      else this.#together.set(roomName(key), relay)
    }
    for (const relay of this.#world.relays) this.#excuse(relay)
  }

  /** A node stays at fault until it holds all its rooms again. */
  #excuse (relay: Relay): void {
    const { process, link, membership, node } = relay
    if (process.isPaused || link.isCut || link.next !== undefined) relay.isAtFault = true
    else if (relay.isAtFault && membership?.valid() && node !== undefined && this.#world.store.late === 0) {
      const inside = this.#world.clients.filter((client) => client.relay === relay)
      relay.isAtFault = !inside.every(({ key }) => membership.holds(key))
    }
  }
}

function memberOf ({ subject: { node } }: Signature): string {
  return `${node.id}|${node.incarnation}`
}

/** Both stores put the hash last. */
function hashOfKey (key: string): string {
  return key.split(/[:/]/).at(-1) ?? ''
}

function hashOf (room: Pick<RoomKey, 'tenant' | 'room'>): string {
  return createHash('sha256').update(roomName(room)).digest('base64url')
}
