import { splitMember } from '../nodes/member.js'
import { unavailable, UnreadableBindingError } from '../../common/unavailable.js'
import { isMove } from './binding.js'
import type { Clock } from '../../common/clock.js'
import type { Claim, Claims, RoomClaim } from '../membership/node-store.js'
import type { Binding } from './binding.js'
import type { MultiFailure, ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { ZooKeeperLayout } from './layout.js'
import type { RoomState, ZooKeeperRooms } from './room-records.js'

/** Bounds the retries of a write that others beat to one of the rooms. */
const MAX_TRIES = 8

export interface Claimant {
  member: string
  /** The node's own earlier registration, which ends in the same step. */
  replaces?: string | undefined
  signal?: AbortSignal | undefined
}

export interface ClaimerOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  lingerMs: number
  clock: Clock
  callMs (): number
}

/** Takes rooms for a node. */
export interface Claimer {
  /**
   * Takes all rooms that are free, in one transaction with the operations of `first`.
   *
   * @returns the results of the claims, or the failure of one of the first operations
   */
  take (first: ZooKeeperOp[], claimant: Claimant, claims: Claims): Promise<RoomClaim[] | MultiFailure>
}

interface Wanted {
  claim: Claim
  room: RoomState
  /** End of the call, or 0. */
  endedAt: number
  /** Result of a refused claim, which writes nothing. */
  refusal: string | undefined
}

export function createClaimer ({ client, layout, rooms, lingerMs, clock, callMs }: ClaimerOptions): Claimer {
  /** Reads the end of the call. An end in the future, from before clocks were set back, counts only for such dates. */
  function endOf ({ binding }: RoomState, { date = Infinity }: Claim): number {
    const endedAt = binding?.endedAt ?? 0
    const latest = clock.wall() + lingerMs
    return endedAt > latest && (date <= latest || date > endedAt) ? 0 : endedAt
  }

  /** Returns `undefined` for a room that cannot be read, so that it affects no other. */
  async function tryToWant (claimant: Claimant, claim: Claim): Promise<Wanted | undefined> {
    try {
      return await want(claimant, claim)
    } catch (error) {
      if (error instanceof UnreadableBindingError) return undefined
      throw error
    }
  }

  async function want ({ member, replaces, signal }: Claimant, claim: Claim): Promise<Wanted> {
    const room = await rooms.read(claim.key, { ms: callMs(), signal })
    const endedAt = endOf(room, claim)
    const refusal = await refusalOf(member, replaces, claim, room, endedAt)
    // Of a room that an operator moves, the node ends the call as of now, whoever's clock dated the move.
    const isMoved = room.binding !== undefined && isMovedFrom(member, room.binding)
    return { claim, room, endedAt: isMoved ? Math.floor(clock.wall()) : endedAt, refusal }
  }

  async function refusalOf (
    member: string, replaces: string | undefined, { number, date = Infinity }: Claim, { binding }: RoomState,
    endedAt: number
  ): Promise<string | undefined> {
    if (binding === undefined) return undefined
    if (date <= endedAt || isMovedFrom(member, binding)) return 'ended'
    if (binding.member === member) {
      return binding.state === 'released' && number <= binding.claims ? 'stale' : undefined
    }
    if (binding.member === undefined || binding.member === replaces) return undefined
    const holder = await client.exists(layout.nodePath(binding.member), { ms: callMs() })
    return holder === undefined ? undefined : 'elsewhere'
  }

  /** Operations that take the room, or check that the room is still taken. */
  function opsOf (member: string, { claim, room, endedAt, refusal }: Wanted): ZooKeeperOp[] {
    const { binding } = room
    if (refusal !== undefined) return []
    const isOurs = binding?.member === member && binding.state === 'claimed' && binding.claims >= claim.number &&
      binding.endedAt === endedAt
    if (isOurs) return rooms.check(room)
    const claims = Math.max(claim.number, binding?.member === member ? binding.claims : 0)
    const isNew = binding?.member !== member || binding.state !== 'claimed'
    const event = isNew ? { event: 'claimed' as const, node: splitMember(member).id } : undefined
    return rooms.write(room, { member, state: 'claimed', claims, endedAt }, event).ops
  }

  return {
    async take (first, claimant, claims) {
      const { member, signal } = claimant
      const shut = new Set<Claim>()
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const wanted = await Promise.all(claims.rooms.map(async (claim) =>
          shut.has(claim) ? undefined : await tryToWant(claimant, claim)))
        const opsOfRooms = wanted.map((it) => it === undefined ? [] : opsOf(member, it))
        const failure = await client.multi([...first, ...opsOfRooms.flat()], { ms: callMs(), signal })
        if (failure === undefined) return wanted.map(toAnswer)
        if (failure.index < first.length) return failure
        const at = indexOfPart(opsOfRooms, failure.index - first.length)
        const claim = failure.name === 'NO_AUTH' ? claims.rooms[at] : undefined
        if (claim === undefined) continue
        // This try only found a room that may not be written.
        shut.add(claim)
        tries--
      }
      throw unavailable('the rooms kept changing')
    }
  }
}

/** Whether an operator moves the room away from this node, which may have registered anew since. */
function isMovedFrom (member: string, binding: Binding): boolean {
  return isMove(binding) && splitMember(binding.member ?? '').id === splitMember(member).id
}

/** Index of the list that holds the element with this index in the concatenation of all lists. */
function indexOfPart (parts: unknown[][], index: number): number {
  let end = 0
  return parts.findIndex((part) => (end += part.length) > index)
}

function toAnswer (wanted: Wanted | undefined): RoomClaim {
  if (wanted === undefined) return { word: 'failed', endedAt: 0 }
  return { word: wanted.refusal ?? 'ok', endedAt: wanted.endedAt }
}
