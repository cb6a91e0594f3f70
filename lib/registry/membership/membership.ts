import { momentOf } from '../../common/clock.js'
import { createEmitter } from '../../common/emitter.js'
import { createRepeater } from '../../common/repeater.js'
import { unavailable } from '../../common/unavailable.js'
import { createLease } from './lease.js'
import { createRegistration } from './registration.js'
import { createRoomClaims } from './room-claims.js'
import { createStoreClock } from './store-clock.js'
import type { Clock, Moment } from '../../common/clock.js'
import type { Accepted, Claims, NodeStore } from './node-store.js'
import type { RegistrationKind } from './registration.js'
import type { SingleResult } from './room-claims.js'
import type { NodeOrder } from '../../../types/operations.js'
import type { ClaimResult, Membership, MembershipEvents, NodeRecord } from '../../../types/registry.js'

/** Bounds the answers that ask for another try: epoch, present incarnation, death of an unacknowledged registration. */
const MAX_TRIES = 6

export interface MembershipOptions {
  store: NodeStore
  record: NodeRecord
  clock: Clock
  onLeave (membership: Membership): void
}

/**
 * Registers a node in a store, and keeps it registered.
 *
 * @throws if the first registration fails, which then leaves nothing behind
 */
export async function joinStore (options: MembershipOptions): Promise<Membership> {
  const { store, clock, onLeave } = options
  const { id, draining: startsDraining = false, ...record } = options.record
  const events = createEmitter<MembershipEvents>()
  const storeClock = createStoreClock(clock)
  const lease = createLease(() => store.times.lease, onLapse, clock)
  const registration = createRegistration(id)
  let isOver = false
  let leaving: Promise<void> | undefined
  let isDraining = startsDraining
  let order: NodeOrder | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const recordText = () => JSON.stringify({
    ...record, ...(isDraining || order !== undefined) && { draining: true }, rooms: rooms.held.size
  })
  const { self } = registration
  const rooms = createRoomClaims({ store, clock, events, self, isValid: lease.valid })

  function onLapse (): void {
    rooms.held.shutAll()
    events.emit('lapsed')
  }

  /** Runs heartbeats and registrations one after the other. */
  function inTurn<T> (work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  async function beat (): Promise<void> {
    if (isOver) return
    // A pending registration may still be written and end the lease of the previous one, which no heartbeat revives.
    if (registration.isPending()) return await register('renewed')
    const claims = rooms.toSend(rooms.held.shutKeys(), { yields: true })
    const sentAt = momentOf(clock)
    const answer = await store.beat({ ...self(), record: recordText(), claims, heard: rooms.heard() })
    if (isOver) return
    if (answer.outcome === 'ok') return accept(answer, sentAt, claims)
    if (answer.outcome !== 'epoch') lease.lapse()
    await register(lease.valid() ? 'again' : 'renewed', answer.outcome === 'epoch' ? answer.epoch : undefined)
  }

  async function register (kind: RegistrationKind, epoch?: string): Promise<void> {
    const attempt = registration.attempt(kind, epoch)
    const keys = kind === 'again' ? rooms.held.openKeys() : rooms.held.shutKeys()
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const claims = rooms.toSend(keys, { yields: kind === 'renewed' })
      const sentAt = momentOf(clock)
      const answer = await store.register({ ...attempt.call(), record: recordText(), claims })
      if (isOver) return
      const result = attempt.hear(answer)
      if (result === 'displaced') return displace()
      if (result === 'lapsed') lease.lapse()
      if (answer.outcome === 'ok') return accept(answer, sentAt, claims)
    }
    throw unavailable('the node cannot be registered')
  }

  function accept (answer: Accepted, sentAt: Moment, claims: Claims): void {
    const wasValid = lease.valid()
    storeClock.set(answer.now, answer.nowAt ?? sentAt)
    lease.renew(answer.since ?? sentAt)
    if (!lease.valid()) return
    const hasNews = rooms.accept(answer, claims)
    if (!wasValid) events.emit('resumed')
    rooms.claimTheRest(claims)
    // A room that an operator moves waits for the acknowledgement, and an answer may hold a part of the ends.
    if (hasNews) heartbeat.hurry()
    if (answer.order !== undefined) hearOrder(answer.order ?? undefined)
  }

  function hearOrder (told: NodeOrder | undefined): void {
    if (JSON.stringify(told) === JSON.stringify(order)) return
    order = told
    // The record says that the node drains.
    heartbeat.hurry()
    events.emit('ordered', told)
  }

  async function claimOne (claim: () => Promise<SingleResult>): Promise<ClaimResult> {
    let result = await claim()
    if (result === 'epoch') {
      await inTurn(beat)
      if (!lease.valid()) return 'lapsed'
      result = await claim()
    }
    if (result === 'epoch' || result === 'lapsed') {
      lease.lapse()
      inTurn(beat).catch(() => {})
      return 'lapsed'
    }
    return result === 'outdated' ? 'lapsed' : result
  }

  const heartbeat = createRepeater(clock, async () => {
    const startedAt = clock.monotonic()
    const wait = await inTurn(beat).then(() => store.times.heartbeat, () => store.times.heartbeat / 4)
    return Math.max(0, wait - (clock.monotonic() - startedAt))
  })

  async function setDraining (isOn: boolean): Promise<void> {
    isDraining = isOn
    // If this heartbeat fails, the next one says the same.
    await inTurn(beat).catch(() => {})
  }

  function end (): void {
    isOver = true
    heartbeat.stop()
    lease.stop()
    rooms.held.shutAll()
    onLeave(membership)
  }

  function displace (): void {
    end()
    store.close?.()
    events.emit('replaced')
  }

  async function withdraw (): Promise<void> {
    end()
    await turn
    // A lease that cannot be withdrawn expires.
    await store.leave(registration.members()).catch(() => {})
    store.close?.()
  }

  const membership: Membership = {
    id,
    get incarnation () {
      return registration.incarnation
    },
    get order () {
      return order
    },
    valid: lease.valid,
    now: storeClock.now,
    async claim (room, { signal, issuedAt } = {}) {
      signal?.throwIfAborted()
      if (!lease.valid()) return 'lapsed'
      const key = store.roomKey(room)
      const issuedAtMs = issuedAt === undefined ? undefined : issuedAt * 1000
      if (Number(issuedAtMs) <= (rooms.endedAt(key) ?? 0)) return 'ended'
      if (rooms.held.get(key)?.isShut === false) return 'ok'
      return await claimOne(async () => await rooms.claim({ ...room }, key, issuedAtMs, signal))
    },
    holds: (room) => lease.valid() && rooms.held.get(store.roomKey(room))?.isShut === false,
    endedAt: (room) => rooms.endedAt(store.roomKey(room)),
    release: async (room) => await rooms.release(store.roomKey(room)),
    drain: async () => await setDraining(true),
    undrain: async () => await setDraining(false),
    async leave () {
      if (!isOver) leaving = withdraw()
      await leaving
    },
    on: events.on
  }

  try {
    await register('first')
  } catch (error) {
    // A registration that failed may still have been written.
    membership.leave().catch(() => {})
    throw error
  }
  store.onNews?.(heartbeat.hurry)
  heartbeat.start(store.times.heartbeat)
  return membership
}
