import { RegistryUnavailableError } from '../errors.js'
import { createLease, present } from './lease.js'
import { createMembershipEmitter } from './membership-events.js'
import { newIncarnation } from './node-record.js'
import { BEAT, CLAIM_ROOMS, LEAVE, REGISTER, RELEASE } from './redis-scripts.js'
import type { RedisStore, ScriptCall } from './redis-client.js'
import type { Script } from './redis-scripts.js'
import type { Membership, NodeRecord } from '../../types/registry.js'

const MAX_CALL_MS = 1000
const CLAIM_AGAIN_MS = 30_000
const MIN_CLAIM_MS = 90_000
/** Rooms that one script claims. */
const BATCH = 250

export interface RedisMembershipOptions {
  store: RedisStore
  record: NodeRecord
  /** Milliseconds. */
  heartbeat: number
  leaseMs: number
  /** Milliseconds a binding lasts that is not claimed. */
  bindingMs: number
  onLeave (membership: Membership): void
}

/** @throws when the first registration fails; nothing is left behind then */
export async function joinRedis (options: RedisMembershipOptions): Promise<Membership> {
  const { store, heartbeat, leaseMs, bindingMs, onLeave } = options
  const { id, ...record } = options.record
  const callMs = Math.min(MAX_CALL_MS, leaseMs / 2)
  // A claim must outlive the lease: a room is in use until its node is dead.
  const claimMs = Math.max(MIN_CLAIM_MS, leaseMs + 2 * CLAIM_AGAIN_MS)
  const events = createMembershipEmitter()
  const lease = createLease(leaseMs, () => events.emit('lapsed'))
  /** Number of the claim, by room. */
  const held = new Map<string, number>()
  let claims = 0
  let incarnation = newIncarnation()
  /** Of a registration that is not acknowledged: the same one is tried until it is. */
  let pending: string | undefined
  let claimedAt = performance.now()
  let leaving: Promise<void> | undefined
  let beatTimer: NodeJS.Timeout | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const nameOf = (registration: string) => `${id}|${registration}`
  const recordText = () => JSON.stringify({ ...record, rooms: held.size })
  const run = (script: Script, call: Omit<ScriptCall, 'ms'>) => store.run(script, { ...call, ms: callMs })

  /** Heartbeats and registrations never overlap. */
  function inTurn<T> (work: () => Promise<T>): Promise<T> {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  async function beat (): Promise<void> {
    if (leaving !== undefined) return
    if (!lease.valid()) return await registerAgain()
    const sentAt = present()
    const answer = await run(BEAT, { args: [nameOf(incarnation), leaseMs, recordText()] })
    if (leaving !== undefined) return
    // Whoever was told of the lapse must not see the old incarnation come back.
    if (answer !== 'ok' || !lease.valid()) return await registerAgain()
    lease.renew(sentAt)
    if (performance.now() - claimedAt < CLAIM_AGAIN_MS) return
    claimedAt = performance.now()
    // Not waited for: many rooms must not delay the next heartbeat, which then tries again.
    claimAgain([...held.keys()]).catch(() => { claimedAt = -Infinity })
  }

  async function register (replaces: string, rooms: string[]): Promise<string[]> {
    const args = [nameOf(pending ?? incarnation), leaseMs, recordText(), claimMs, replaces, ...numbersOf(rooms)]
    return await run(REGISTER, { args, rooms }) as string[] // One word per room.
  }

  async function registerAgain (): Promise<void> {
    lease.lapse()
    pending ??= newIncarnation()
    const rooms = [...held.keys()]
    const first = rooms.slice(0, BATCH)
    const sentAt = present()
    const answers = await register(nameOf(incarnation), first)
    if (leaving !== undefined) return
    incarnation = pending
    pending = undefined
    lease.renew(sentAt)
    forgetLost(first, answers)
    claimedAt = performance.now()
    await claimAgain(rooms.slice(BATCH)).catch(() => { claimedAt = -Infinity })
    if (lease.valid()) events.emit('resumed')
  }

  async function claimAgain (rooms: string[]): Promise<void> {
    const claimant = incarnation
    for (let at = 0; at < rooms.length; at += BATCH) {
      const batch = rooms.slice(at, at + BATCH).filter((room) => held.has(room))
      const answers = await run(CLAIM_ROOMS, {
        args: [nameOf(claimant), claimMs, ...numbersOf(batch)], rooms: batch
      }) as string[] // One word per room.
      if (claimant !== incarnation) return
      forgetLost(batch, answers)
    }
  }

  function numbersOf (rooms: string[]): number[] {
    return rooms.map((room) => held.get(room) ?? 0)
  }

  function forgetLost (rooms: string[], answers: string[]): void {
    for (const [at, room] of rooms.entries()) if (answers[at] === 'elsewhere') held.delete(room)
  }

  function beatSoon (): void {
    inTurn(beat).catch(() => {})
  }

  function beatAfter (ms: number): void {
    if (leaving !== undefined) return
    beatTimer = setTimeout(async () => {
      const startedAt = performance.now()
      const wait = await inTurn(beat).then(() => heartbeat, () => heartbeat / 4)
      beatAfter(Math.max(0, wait - (performance.now() - startedAt)))
    }, ms).unref()
  }

  async function withdraw (): Promise<void> {
    clearTimeout(beatTimer)
    lease.stop()
    onLeave(membership)
    await turn
    const names = [incarnation, pending].flatMap((registration) => registration ? nameOf(registration) : [])
    // A lease that cannot be withdrawn ends by itself.
    await run(LEAVE, { args: names }).catch(() => {})
  }

  const membership: Membership = {
    id,
    get incarnation () {
      return incarnation
    },
    valid: lease.valid,
    async claim (room, signal) {
      signal?.throwIfAborted()
      if (!lease.valid()) return 'lapsed'
      const key = store.room(room)
      const number = ++claims
      const claimant = incarnation
      const [answer] = await run(CLAIM_ROOMS, {
        args: [nameOf(claimant), claimMs, number], rooms: [key], signal
      }) as string[] // One word for the room.
      // An answer counts only for the incarnation that it was sent for.
      if (claimant !== incarnation || !lease.valid()) return 'lapsed'
      if (answer === 'lapsed') {
        lease.lapse()
        beatSoon()
        return 'lapsed'
      }
      if (answer === 'ok') held.set(key, Math.max(number, held.get(key) ?? 0))
      else if (answer === 'elsewhere') held.delete(key)
      else throw new RegistryUnavailableError({ cause: new Error('the binding of the room cannot be read') })
      return answer
    },
    async release (room) {
      const key = store.room(room)
      const number = held.get(key) ?? claims
      held.delete(key)
      // A claim that cannot be withdrawn ends by itself, since it is not claimed again.
      await run(RELEASE, { args: [nameOf(incarnation), number, bindingMs], rooms: [key] }).catch(() => {})
    },
    async drain (on = true) {
      record.draining = on
      // The next heartbeat says it again.
      await inTurn(beat).catch(() => {})
    },
    async leave () {
      leaving ??= withdraw()
      await leaving
    },
    on: events.on
  }

  try {
    const sentAt = present()
    await register('', [])
    lease.renew(sentAt)
  } catch (error) {
    // The registration may have landed all the same.
    membership.leave().catch(() => {})
    throw error
  }
  beatAfter(heartbeat)
  return membership
}
