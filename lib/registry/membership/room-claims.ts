import { unavailable } from '../../common/unavailable.js'
import { createHeldRooms } from './held-rooms.js'
import { createEndedRooms } from './ended-rooms.js'
import type { Clock } from '../../common/clock.js'
import type { Emitter } from '../../common/emitter.js'
import type { HeldRooms } from './held-rooms.js'
import type { Accepted, Claim, Claims, NodeCall, NodeStore, RoomEnd } from './node-store.js'
import type { MembershipEvents, RoomKey } from '../../../types/registry.js'

/** `outdated` the registration changed during the claim · `epoch` and `lapsed` the store does not know it. */
export type SingleResult = 'ok' | 'elsewhere' | 'ended' | 'lapsed' | 'epoch' | 'outdated'

export interface RoomClaimsOptions {
  store: NodeStore
  clock: Clock
  events: Emitter<MembershipEvents>
  /** The current registration. */
  self (): NodeCall
  isValid (): boolean
}

/** The rooms of one node: claimed ones, and ones whose call ended. */
export interface RoomClaims {
  readonly held: HeldRooms
  endedAt (key: string): number | undefined
  /** Claims to send with a registration or heartbeat: the first ones, up to the batch of the store. */
  toSend (keys: string[], options: { yields: boolean }): Claims
  /** Ends of calls in the latest answer: the next heartbeat acknowledges them. */
  heard (): readonly RoomEnd[]
  /** Takes the answer to a registration or heartbeat. Returns whether it tells ends that the last one did not. */
  accept (answer: Accepted, sent: Claims): boolean
  /** Claims the rooms that were not sent, and again some of the open rooms, in turn. Runs in the background. */
  claimTheRest (sent: Claims): void
  /**
   * Claims one room for a signature of this date.
   *
   * @throws `RegistryUnavailableError` if the store cannot be asked, or cannot read the binding
   */
  claim (room: RoomKey, key: string, date: number | undefined, signal: AbortSignal | undefined): Promise<SingleResult>
  /** Releases a room whose last client left. */
  release (key: string): Promise<void>
}

const toText = ({ key, at }: RoomEnd) => `${key} ${at}`

export function createRoomClaims ({ store, clock, events, self, isValid }: RoomClaimsOptions): RoomClaims {
  const held = createHeldRooms()
  const ended = createEndedRooms()
  let heard: readonly RoomEnd[] = []
  let lastNumber = 0
  let isClaimingAgain = false
  let answeredAt = clock.monotonic()

  /** Moves dates that lie in the future, since the store's clock was set back, to before the next date. */
  function redate (now: number): void {
    const lastAnswer = now - (clock.monotonic() - answeredAt)
    answeredAt = clock.monotonic()
    held.redate(now + store.times.heartbeat, lastAnswer)
    // On ZooKeeper gateways date the ends, and their clocks may differ a little.
    ended.redate(now + store.times.linger, lastAnswer)
  }

  const toClaim = (key: string): Claim => {
    const room = held.get(key)
    return { key, number: room?.number ?? 0, date: room?.openedAt }
  }
  const toSend = (keys: string[], { yields }: { yields: boolean }) =>
    ({ rooms: keys.slice(0, store.batch).map(toClaim), yields, areOpen: !yields })

  function settle ({ claims: answers, now }: Accepted, { rooms }: Claims): void {
    for (const [at, { key, number }] of rooms.entries()) {
      const { word, endedAt } = answers[at] ?? { word: 'failed', endedAt: 0 }
      hearEnd(key, endedAt)
      const room = held.get(key)?.room
      if (room === undefined) continue
      if (word === 'ok') held.open(key, room, number, now)
      else if (word === 'elsewhere') endRoom(key, 'lost')
      else if (word === 'ended') endRoom(key, 'ended')
    }
  }

  /** Ends a room that was opened before the end of its call; one that was opened later belongs to another call. */
  function hearEnd (key: string, at: number): void {
    if (at === 0) return
    ended.add(key, at)
    if (Number(held.get(key)?.openedAt) <= at) endRoom(key, 'ended')
  }

  function endRoom (key: string, event: 'lost' | 'ended'): void {
    const room = held.remove(key)?.room
    if (room !== undefined) events.emit(event, { ...room })
  }

  /** Claims rooms again, since a store may lose a binding unnoticed: by eviction, or by restoring older data. */
  function claimShare (keys: string[]): void {
    if (isClaimingAgain || keys.length === 0) return
    isClaimingAgain = true
    claimAgain(keys, { yields: false }).catch(() => {}).finally(() => { isClaimingAgain = false })
  }

  async function claimAgain (keys: string[], { yields }: { yields: boolean }): Promise<void> {
    const call = self()
    for (let at = 0; at < keys.length; at += store.batch) {
      const isStill = (key: string) => held.get(key)?.isShut === yields
      const claims = toSend(keys.slice(at, at + store.batch).filter(isStill), { yields })
      if (claims.rooms.length === 0) continue
      for (const { key } of claims.rooms) held.putLast(key)
      const answer = await store.claim({ ...call, claims })
      if (call.member !== self().member || !isValid() || answer.outcome !== 'ok') return
      settle(answer, claims)
    }
  }

  return {
    held,
    endedAt: ended.at,
    toSend,
    heard: () => heard,
    accept (answer, sent) {
      redate(answer.now)
      ended.forget(answer.now - store.times.linger - store.times.lease)
      for (const { key, at } of answer.ends) hearEnd(key, at)
      const known = new Set(heard.map(toText))
      heard = answer.ends
      settle(answer, sent)
      return heard.some((end) => !known.has(toText(end)))
    },
    // Claiming many rooms must not delay the next heartbeat, which retries failed claims.
    claimTheRest ({ rooms }) {
      const isFull = rooms.length === store.batch
      const shut = held.shutKeys()
      if (isFull && shut.length > 0) claimAgain(shut, { yields: true }).catch(() => {})
      const open = held.openKeys()
      claimShare(isFull ? open : open.slice(0, store.claimsAgain(open.length)))
    },
    async claim (room, key, date, signal) {
      const number = ++lastNumber
      const call = self()
      const answer = await store.claim({ ...call, signal, claims: { rooms: [{ key, number, date }], yields: false } })
      // An answer counts only for the incarnation that claimed.
      if (call.member !== self().member || !isValid()) return 'outdated'
      if (answer.outcome === 'epoch') return 'epoch'
      if (answer.outcome !== 'ok') return 'lapsed'
      const { word, endedAt } = answer.claims[0] ?? { word: 'failed', endedAt: 0 }
      hearEnd(key, endedAt)
      if (word === 'ok') held.open(key, room, number, answer.now)
      else if (word === 'elsewhere') endRoom(key, 'lost')
      else if (word !== 'ended') throw unavailable('the binding of the room cannot be read')
      return word
    },
    async release (key) {
      const number = held.remove(key)?.number ?? lastNumber
      // A claim that cannot be withdrawn expires, since the room is not claimed again.
      await store.release({ ...self(), key, number }).catch(() => {})
    }
  }
}
