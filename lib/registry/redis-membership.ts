import { systemClock } from '../clock.js'
import { RegistryUnavailableError } from '../errors.js'
import { createHeldRooms } from './held-rooms.js'
import { createLease, momentOf } from './lease.js'
import { createMembershipEmitter } from './membership-events.js'
import { newIncarnation } from './node-record.js'
import { BATCH, createRedisNode } from './redis-node.js'
import { LEAVE, RELEASE } from './redis-node-scripts.js'
import { createReleasedRooms } from './released-rooms.js'
import { createStoreClock } from './store-clock.js'
import type { Clock } from '../clock.js'
import type { Moment } from './lease.js'
import type { RedisStore, RedisTimes } from './redis-client.js'
import type { Claims, NodeAnswer } from './redis-node.js'
import type { ClaimResult, Membership, NodeRecord, RoomKey } from '../../types/registry.js'

const MAX_CALL_MS = 1000
const CLAIM_AGAIN_MS = 30_000
const MIN_CLAIM_MS = 90_000
/** Answers of the store that ask for another try: epoch, present incarnation, death of an unheard registration. */
const MAX_TRIES = 6

type Accepted = Extract<NodeAnswer, { outcome: 'ok' }>

export interface RedisMembershipOptions {
  store: RedisStore
  record: NodeRecord
  times: RedisTimes
  clock?: Clock | undefined
  onLeave (membership: Membership): void
}

/** @throws when the first registration fails; nothing is left behind then */
export async function joinRedis (options: RedisMembershipOptions): Promise<Membership> {
  const { store, times, clock = systemClock, onLeave } = options
  const { id, ...record } = options.record
  const callMs = Math.min(MAX_CALL_MS, times.lease / 2)
  // A claim must outlive the lease: a room is in use until its node is dead.
  const claimMs = Math.max(MIN_CLAIM_MS, times.lease + 2 * CLAIM_AGAIN_MS)
  const redis = createRedisNode(store, claimMs, callMs)
  const events = createMembershipEmitter()
  const held = createHeldRooms()
  const released = createReleasedRooms()
  const storeClock = createStoreClock(clock)
  const lease = createLease(times.lease, onLapse, clock)
  /** In which this incarnation is registered. */
  let epoch = ''
  let incarnation = newIncarnation()
  /** Of a registration that is not acknowledged: the same one is tried until it is. */
  let pending: string | undefined
  let claims = 0
  let claimedAt = clock.monotonic()
  let isOver = false
  let leaving: Promise<void> | undefined
  let cancelBeat = () => {}
  let turn: Promise<unknown> = Promise.resolve()

  const memberOf = (registration: string) => `${id}|${registration}`
  const recordText = () => JSON.stringify({ ...record, rooms: held.size })
  const claimsOf = (keys: string[], yields: boolean): Claims => ({
    rooms: keys.map((key) => ({ key, number: held.get(key)?.number ?? 0, date: held.get(key)?.openedAt })), yields
  })

  function onLapse (): void {
    held.shutAll()
    events.emit('lapsed')
  }

  /** Heartbeats and registrations never overlap. */
  function inTurn<T> (work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  async function beat (): Promise<void> {
    if (isOver) return
    // It may land yet, and would end the lease of the one before: no heartbeat revives that.
    if (pending !== undefined) return await register('anew')
    const shut = held.shutKeys()
    const claimed = claimsOf(shut.slice(0, BATCH), true)
    const sentAt = momentOf(clock)
    const answer = await redis.beat({ epoch, member: memberOf(incarnation), record: recordText(), claims: claimed })
    if (isOver) return
    if (answer.outcome === 'ok') return accept(answer, sentAt, claimed)
    if (answer.outcome !== 'epoch') lease.lapse()
    await register(lease.valid() ? 'again' : 'anew', answer.outcome === 'epoch' ? answer.epoch : epoch)
  }

  /**
   * `first` of this process · `again` under the same incarnation, in a new epoch · `anew` under a fresh one.
   */
  async function register (kind: 'first' | 'again' | 'anew', era = epoch): Promise<void> {
    let replaces = kind === 'first' ? '' : incarnation
    if (kind === 'anew') pending ??= newIncarnation()
    const keys = kind === 'again' ? held.openKeys() : held.shutKeys()
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const registration: string = pending ?? incarnation
      const claimed = claimsOf(keys.slice(0, BATCH), kind === 'anew')
      const sentAt = momentOf(clock)
      const answer = await redis.register({
        epoch: era, member: memberOf(registration), record: recordText(), replaces, claims: claimed
      })
      if (isOver) return
      if (answer.outcome === 'ok') {
        epoch = era
        incarnation = registration
        pending = undefined
        return accept(answer, sentAt, claimed)
      }
      if (answer.outcome === 'epoch') era = answer.epoch
      else if (answer.outcome === 'lapsed') {
        lease.lapse()
        // It was registered, and died before that was heard.
        replaces = incarnation = registration
        pending = newIncarnation()
      } else if (kind === 'first' || answer.incarnation === '') replaces = answer.incarnation
      else return displace()
    }
    throw new RegistryUnavailableError({ cause: new Error('the node cannot be registered') })
  }

  function accept (answer: Accepted, sentAt: Moment, claimed: Claims): void {
    const wasValid = lease.valid()
    storeClock.set(answer.now, sentAt)
    released.forget(answer.now - times.linger - times.lease)
    lease.renew(sentAt)
    if (!lease.valid()) return
    for (const { name, at } of answer.releases) hearRelease(store.keyOf(name), at)
    settle(answer, claimed)
    if (!wasValid) events.emit('resumed')
    claimTheRest(claimed)
  }

  /** Takes what the store says about claims that were sent. */
  function settle ({ claims: answers, now }: Accepted, { rooms }: Claims): void {
    for (const [at, { key, number }] of rooms.entries()) {
      const { word, releasedAt } = answers[at] ?? { word: 'failed', releasedAt: 0 }
      hearRelease(key, releasedAt)
      const room = held.get(key)?.room
      if (room === undefined) continue
      if (word === 'ok') held.open(key, room, number, now)
      else if (word === 'elsewhere') endRoom(key, 'lost')
    }
  }

  /** A room that was opened after its call had ended is another call's. */
  function hearRelease (key: string, at: number): void {
    if (at === 0) return
    released.add(key, at)
    if (Number(held.get(key)?.openedAt) <= at) endRoom(key, 'released')
  }

  function endRoom (key: string, event: 'lost' | 'released'): void {
    const room = held.remove(key)?.room
    if (room !== undefined) events.emit(event, { ...room })
  }

  // Not waited for: many rooms must not delay the next heartbeat, which tries again what fails.
  function claimTheRest ({ rooms }: Claims): void {
    const shut = held.shutKeys()
    if (rooms.length === BATCH && shut.length > 0) claimAgain(shut, true).catch(() => {})
    if (rooms.length < BATCH && clock.monotonic() - claimedAt < CLAIM_AGAIN_MS) return
    claimedAt = clock.monotonic()
    claimAgain(held.openKeys(), false).catch(() => { claimedAt = -Infinity })
  }

  async function claimAgain (keys: string[], yields: boolean): Promise<void> {
    const claimant = incarnation
    for (let at = 0; at < keys.length; at += BATCH) {
      const batch = claimsOf(keys.slice(at, at + BATCH).filter((key) => held.get(key)?.isShut === yields), yields)
      const answer = await redis.claim({ epoch, member: memberOf(claimant), claims: batch })
      if (claimant !== incarnation || !lease.valid() || answer.outcome !== 'ok') return
      settle(answer, batch)
    }
  }

  async function claimOne (
    room: RoomKey, key: string, issuedAt: number | undefined, signal: AbortSignal | undefined, mayRetry = true
  ): Promise<ClaimResult> {
    const number = ++claims
    const claimant = incarnation
    const answer = await redis.claim({
      epoch, member: memberOf(claimant), signal, claims: { rooms: [{ key, number, date: issuedAt }], yields: false }
    })
    // An answer counts only for the incarnation that it was sent for.
    if (claimant !== incarnation || !lease.valid()) return 'lapsed'
    if (answer.outcome === 'epoch' && mayRetry) {
      await inTurn(beat)
      return lease.valid() ? await claimOne(room, key, issuedAt, signal, false) : 'lapsed'
    }
    if (answer.outcome !== 'ok') {
      lease.lapse()
      inTurn(beat).catch(() => {})
      return 'lapsed'
    }
    const { word, releasedAt } = answer.claims[0] ?? { word: 'failed', releasedAt: 0 }
    hearRelease(key, releasedAt)
    if (word === 'ok') held.open(key, room, number, answer.now)
    else if (word === 'elsewhere') endRoom(key, 'lost')
    else if (word !== 'released') {
      throw new RegistryUnavailableError({ cause: new Error('the binding of the room cannot be read') })
    }
    return word
  }

  function beatAfter (ms: number): void {
    if (isOver) return
    cancelBeat = clock.after(ms, async () => {
      const startedAt = clock.monotonic()
      const wait = await inTurn(beat).then(() => times.heartbeat, () => times.heartbeat / 4)
      beatAfter(Math.max(0, wait - (clock.monotonic() - startedAt)))
    })
  }

  function end (): void {
    isOver = true
    cancelBeat()
    lease.stop()
    held.shutAll()
    onLeave(membership)
  }

  function displace (): void {
    end()
    events.emit('replaced')
  }

  async function withdraw (): Promise<void> {
    end()
    await turn
    const members = [incarnation, pending].flatMap((registration) => registration ? memberOf(registration) : [])
    // A lease that cannot be withdrawn ends by itself.
    await store.run(LEAVE, { args: members, ms: callMs }).catch(() => {})
  }

  const membership: Membership = {
    id,
    get incarnation () {
      return incarnation
    },
    valid: lease.valid,
    now: storeClock.now,
    async claim (room, options = {}) {
      const { signal, issuedAt } = options instanceof AbortSignal ? { signal: options } : options
      signal?.throwIfAborted()
      if (!lease.valid()) return 'lapsed'
      const key = store.room(room)
      const issuedAtMs = issuedAt === undefined ? undefined : issuedAt * 1000
      if (Number(issuedAtMs) <= (released.at(key) ?? 0)) return 'released'
      if (held.get(key)?.isShut === false) return 'ok'
      return await claimOne({ ...room }, key, issuedAtMs, signal)
    },
    holds: (room) => lease.valid() && held.get(store.room(room))?.isShut === false,
    releasedAt: (room) => released.at(store.room(room)),
    async release (room) {
      const key = store.room(room)
      const number = held.remove(key)?.number ?? claims
      // A claim that cannot be withdrawn ends by itself, since it is not claimed again.
      const args = [memberOf(incarnation), number]
      await store.run(RELEASE, { epoch, args, rooms: [key], ms: callMs }).catch(() => {})
    },
    async drain (on = true) {
      record.draining = on
      // The next heartbeat says it again.
      await inTurn(beat).catch(() => {})
    },
    async leave () {
      if (!isOver) leaving = withdraw()
      await leaving
    },
    on: events.on
  }

  try {
    await register('first')
  } catch (error) {
    // The registration may have landed all the same.
    membership.leave().catch(() => {})
    throw error
  }
  beatAfter(times.heartbeat)
  return membership
}
