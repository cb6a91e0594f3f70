import { RegistryUnavailableError } from '../../errors.js'
import { momentOf } from '../membership/lease.js'
import { ensurePath, parentOf } from './layout.js'
import type { Clock } from '../../clock.js'
import type { Moment } from '../membership/lease.js'
import type { Claim, Claims, NodeAnswer, NodeStore, ReleaseCall, RoomClaim, RoomRelease } from '../membership/node-store.js'
import type { MultiFailure, ZooKeeperClient, ZooKeeperOp } from '../zookeeper-client/client.js'
import type { ZooKeeperLayout } from './layout.js'
import type { RoomState, ZooKeeperRooms } from './rooms.js'
import type { Sweep } from './sweep.js'

const BATCH = 100
const MAX_CALL_MS = 1000
/** Others write the same rooms: read anew, and try again. */
const MAX_TRIES = 8
/** The client sends so many heartbeats per session. */
const BEATS_PER_SESSION = 3
/** A follower tells its leader twice a tick who lives, and a session is two ticks at least. */
const REPORTS_PER_SESSION = 4

export interface ZooKeeperNodeOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  sweep: Sweep
  lingerMs: number
  clock: Clock
}

interface Claimant {
  member: string
  /** Its own earlier registration, which ends in the same step. */
  replaces?: string | undefined
  signal?: AbortSignal | undefined
}

interface Wanted {
  claim: Claim
  room: RoomState
  /** Nothing to write. */
  refusal: string | undefined
}

/** What a node asks of ZooKeeper: it lives as long as its ephemeral node does. */
export function createZooKeeperNode (options: ZooKeeperNodeOptions): NodeStore {
  const { client, layout, rooms, sweep, lingerMs, clock } = options
  /** Of the session that the registration was made in: its node goes when that ends. */
  let session: string | undefined
  let record: string | undefined
  let tellNews = () => {}
  /** Rooms that are watched for the end of their call. */
  const watched = new Map<string, () => void>()
  const changed = new Set<string>()
  /** Releases that did not get through. */
  const unreleased = new Map<string, ReleaseCall>()
  /** When the latest heartbeat was sent, and when the one that the leader knows of whichever server dies. */
  let heard = connectedSince()
  let known = heard
  const callMs = () => Math.min(MAX_CALL_MS, client.sessionTimeout() / BEATS_PER_SESSION)

  const unsubscribe = client.on((state) => {
    if (state !== 'connected' && state !== 'reconnected') return
    if (state === 'connected') known = heard = connectedSince()
    // Watches are gone, and with them what they would have told.
    for (const key of watched.keys()) changed.add(key)
    tellNews()
  })

  /** A session that is made, or gone on with, is known to the leader; to connect takes a third of it at most. */
  function connectedSince (): Moment {
    const { monotonic, wall } = momentOf(clock)
    const ms = client.sessionTimeout() / BEATS_PER_SESSION
    return { monotonic: monotonic - ms, wall: wall - ms }
  }

  /**
   * From when the session lives its time for certain. A server that dies may take with it when it heard from us last,
   * though the heartbeat got through it; and that before may be old, where this process stood still in between.
   */
  function hear (sentAt: Moment): Moment {
    if (sentAt.monotonic - heard.monotonic >= client.sessionTimeout() / REPORTS_PER_SESSION) {
      known = heard
      heard = sentAt
    }
    return known
  }

  const send = async (ops: ZooKeeperOp[], signal?: AbortSignal): Promise<MultiFailure | undefined> =>
    await client.multi(ops, { ms: callMs(), signal })

  async function isAlive (member: string): Promise<boolean> {
    return await client.exists(layout.nodePath(member), { ms: callMs() }) !== undefined
  }

  async function want ({ member, replaces, signal }: Claimant, claim: Claim): Promise<Wanted> {
    const room = await rooms.read(claim.key, { ms: callMs(), signal })
    return { claim, room, refusal: await refusalOf(member, replaces, claim, room) }
  }

  async function refusalOf (
    member: string, replaces: string | undefined, { number, date = Infinity }: Claim, { binding }: RoomState
  ): Promise<string | undefined> {
    if (binding === undefined) return undefined
    if (date <= binding.endedAt) return 'released'
    if (binding.member === member) {
      return binding.state === 'released' && number <= binding.claims ? 'stale' : undefined
    }
    if (binding.member === undefined || binding.member === replaces) return undefined
    return await isAlive(binding.member) ? 'elsewhere' : undefined
  }

  /** What takes the room, or where it is taken already makes sure that it still is. */
  function opsOf (member: string, { claim, room, refusal }: Wanted): ZooKeeperOp[] {
    const { binding } = room
    if (refusal !== undefined) return []
    const isOurs = binding?.member === member && binding.state === 'claimed' && binding.claims >= claim.number
    if (isOurs) return rooms.check(room)
    const claims = Math.max(claim.number, binding?.member === member ? binding.claims : 0)
    return rooms.write(room, { member, state: 'claimed', claims, endedAt: binding?.endedAt ?? 0 }).ops
  }

  /**
   * Takes all rooms that can be had, in one step with what `first` does.
   *
   * @returns what became of them, or the failure of one of the first operations
   */
  async function claimWith (
    first: ZooKeeperOp[], claimant: Claimant, claims: Claims
  ): Promise<RoomClaim[] | MultiFailure> {
    const { member, signal } = claimant
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const wanted = await Promise.all(claims.rooms.map(async (claim) => await tryToWant(claimant, claim)))
      const ops = wanted.flatMap((it) => it === undefined ? [] : opsOf(member, it))
      const failure = await send([...first, ...ops], signal)
      if (failure === undefined) return wanted.map(take)
      if (failure.index < first.length) return failure
    }
    throw unavailable('the rooms changed again and again')
  }

  /** A room that cannot be read costs itself only. */
  async function tryToWant (claimant: Claimant, claim: Claim): Promise<Wanted | undefined> {
    try {
      return await want(claimant, claim)
    } catch (error) {
      if (error instanceof TypeError) return undefined
      throw error
    }
  }

  function take (wanted: Wanted | undefined): RoomClaim {
    if (wanted === undefined) return { word: 'failed', releasedAt: 0 }
    const { claim: { key }, room: { binding }, refusal } = wanted
    if (refusal === undefined) {
      unreleased.delete(key)
      watch(key)
    }
    return { word: refusal ?? 'ok', releasedAt: binding?.endedAt ?? 0 }
  }

  /** Not waited for: whoever is let in meanwhile is told when it is known. */
  function watch (key: string): void {
    if (watched.has(key)) return
    watched.set(key, () => { if (watched.has(key)) news(key) })
    look(key).then((release) => { if (release !== undefined) news(key) }, () => news(key))
  }

  function news (key: string): void {
    changed.add(key)
    tellNews()
  }

  async function look (key: string): Promise<RoomRelease | undefined> {
    const { binding } = await rooms.read(key, { ms: callMs(), watch: watched.get(key) })
    return binding !== undefined && binding.endedAt > 0 ? { key, at: binding.endedAt } : undefined
  }

  async function readReleases (): Promise<RoomRelease[]> {
    const keys = [...changed].slice(0, BATCH)
    const releases = await Promise.all(keys.map(async (key) => {
      try {
        changed.delete(key)
        return await look(key)
      } catch (error) {
        // An unreadable room is left as it is.
        if (!(error instanceof TypeError)) changed.add(key)
        return undefined
      }
    }))
    if (changed.size > 0 && keys.length === BATCH) tellNews()
    return releases.filter((release) => release !== undefined)
  }

  async function release (call: ReleaseCall): Promise<void> {
    const { key, member, number } = call
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const room = await rooms.read(key, { ms: callMs() })
      const { binding } = room
      if (binding?.member !== member || binding.state !== 'claimed' || binding.claims > number) return
      const released = { ...binding, state: 'released' as const, claims: number }
      const { ops, text } = rooms.write(room, released)
      if (await send(ops) === undefined) return sweep.note(key, text, released)
    }
    throw unavailable('the room changed again and again')
  }

  async function releaseAgain (): Promise<void> {
    for (const call of unreleased.values()) {
      await release(call)
      unreleased.delete(call.key)
    }
  }

  async function accept (sentAt: Moment, claims: RoomClaim[]): Promise<NodeAnswer> {
    const since = hear(sentAt)
    // Not waited for: the next heartbeat tries again.
    releaseAgain().catch(() => {})
    return { outcome: 'ok', now: sentAt.wall, since, releases: await readReleases(), claims }
  }

  return {
    batch: BATCH,
    roomKey: layout.roomKey,
    get times () {
      const granted = client.sessionTimeout()
      return { heartbeat: granted / BEATS_PER_SESSION, lease: granted, linger: lingerMs }
    },

    async register ({ member, record: text, replaces, claims }) {
      const [id = '', incarnation = ''] = member.split('|')
      const idPath = layout.idPath(id)
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const sentAt = momentOf(clock)
        const sentIn = client.sessionId()
        const found = await client.get(idPath, { ms: callMs() })
        const present = found?.data.toString() ?? ''
        if (present === incarnation) {
          // Sent before, and landed: in this session, or in one whose node vanishes with it.
          const path = layout.nodePath(member)
          const own = await client.exists(path, { ms: callMs() })
          if (own === undefined || own.ephemeralOwner !== sentIn) return { outcome: 'lapsed' }
          session = sentIn
          const result = await claimWith([{ type: 'check', path }], { member }, claims)
          return Array.isArray(result) ? await accept(sentAt, result) : { outcome: 'lapsed' }
        }
        if (present !== replaces) return { outcome: 'present', incarnation: present }
        const old = `${id}|${present}`
        const data = Buffer.from(incarnation)
        const first: ZooKeeperOp[] = [
          found === undefined ? { type: 'create', path: idPath, data } : { type: 'set', path: idPath, data, version: found.stat.version },
          { type: 'create', path: layout.nodePath(member), data: Buffer.from(text), ephemeral: true }
        ]
        if (present !== '' && await isAlive(old)) first.push({ type: 'remove', path: layout.nodePath(old) })
        session = sentIn
        const result = await claimWith(first, { member, replaces: old }, claims)
        if (Array.isArray(result)) {
          record = text
          return await accept(sentAt, result)
        }
        if (result.name === 'NO_NODE') await Promise.all([parentOf(idPath), layout.nodes].map((path) => ensurePath(client, path)))
      }
      throw unavailable('the node cannot be registered')
    },

    async beat ({ member, record: text, claims }) {
      const path = layout.nodePath(member)
      // What another session left would vanish with it.
      if (client.sessionId() !== session) return { outcome: 'lapsed' }
      const sentAt = momentOf(clock)
      const first: ZooKeeperOp = text === record ? { type: 'check', path } : { type: 'set', path, data: Buffer.from(text) }
      const result = await claimWith([first], { member }, claims)
      if (!Array.isArray(result) || client.sessionId() !== session) return { outcome: 'lapsed' }
      record = text
      return await accept(sentAt, result)
    },

    async claim ({ epoch, member, claims, signal }) {
      if (client.sessionId() !== session) return { outcome: 'lapsed' }
      const sentAt = clock.wall()
      try {
        const result = await claimWith([{ type: 'check', path: layout.nodePath(member) }], { member, signal }, claims)
        return Array.isArray(result) ? { outcome: 'ok', now: sentAt, releases: [], claims: result } : { outcome: 'lapsed' }
      } catch (error) {
        // It may have landed, and nothing else would ever end it.
        for (const { key, number } of claims.rooms) {
          if (!watched.has(key)) unreleased.set(key, { epoch, member, key, number })
        }
        throw error
      }
    },

    async release (call) {
      watched.delete(call.key)
      changed.delete(call.key)
      unreleased.set(call.key, call)
      await release(call)
      unreleased.delete(call.key)
    },

    async leave (members) {
      for (const member of members) {
        const [id = '', incarnation = ''] = member.split('|')
        const idPath = layout.idPath(id)
        const found = await client.get(idPath, { ms: callMs() })
        const isOurs = found?.data.toString() === incarnation
        // In one step: a node that is gone and has not given up its id vanished.
        const ops: ZooKeeperOp[] = isOurs ? [{ type: 'remove', path: idPath, version: found.stat.version }] : []
        await send([...ops, { type: 'remove', path: layout.nodePath(member) }])
      }
    },

    onNews (listener) {
      tellNews = listener
    },

    close () {
      unsubscribe()
      watched.clear()
    }
  }
}

function unavailable (reason: string): Error {
  return new RegistryUnavailableError({ cause: new Error(reason) })
}
