import { memberOf, splitMember } from '../nodes/member.js'
import { momentOf } from '../../common/clock.js'
import { unavailable } from '../../common/unavailable.js'
import { BEATS_PER_SESSION } from '../../zookeeper-client/connection.js'
import { createClaimer } from './claims.js'
import { createEndedCalls } from './ended-calls.js'
import { ensurePath, parentOf } from './layout.js'
import { createMovedRooms } from './moved-rooms.js'
import { createOwnOrder } from './orders.js'
import { createReleases } from './releases.js'
import { createSessionLease } from './session-lease.js'
import type { Clock, Moment } from '../../common/clock.js'
import type { Claims, NodeAnswer, NodeStore, RegisterCall, RoomClaim } from '../membership/node-store.js'
import type { MultiFailure, ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { Claimant } from './claims.js'
import type { ZooKeeperLayout } from './layout.js'
import type { ZooKeeperRooms } from './room-records.js'
import type { Sweep } from './sweep.js'

const BATCH = 100
const MAX_CALL_MS = 1000
const CLAIM_AGAIN_MS = 30_000
/** Bounds the retries of a write that others beat to the id. */
const MAX_TRIES = 8

export interface ZooKeeperNodeOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  sweep: Sweep
  lingerMs: number
  clock: Clock
}

/** A node's access to ZooKeeper. The node is alive as long as its ephemeral znode exists. */
export function createZooKeeperNode (options: ZooKeeperNodeOptions): NodeStore {
  const { client, layout, rooms, sweep, lingerMs, clock } = options
  const callMs = () => Math.min(MAX_CALL_MS, client.sessionTimeout() / BEATS_PER_SESSION)
  const lease = createSessionLease(client, clock)
  const claimer = createClaimer({ client, layout, rooms, lingerMs, clock, callMs })
  const moved = createMovedRooms({ client, rooms, callMs })
  const endedCalls = createEndedCalls({
    rooms, clock, batch: BATCH, callMs, isOwn: (member) => member === own, onMoving: moved.note
  })
  const releases = createReleases({ client, rooms, sweep, callMs, onMoving: endedCalls.lookAt })
  const ownOrder = createOwnOrder(client, layout)
  /** Id of the session that made the registration: the znode is deleted when that session ends. */
  let session: string | undefined
  let record: string | undefined
  /** The latest registration that was sent. */
  let own: string | undefined

  const unsubscribe = client.on((state) => {
    if (state === 'connected') lease.begin()
    if (state === 'connected' || state === 'reconnected') endedCalls.lookAtAll()
  })

  async function claimWith (
    first: ZooKeeperOp[], claimant: Claimant, claims: Claims
  ): Promise<RoomClaim[] | MultiFailure> {
    const result = await claimer.take(first, claimant, claims)
    if (Array.isArray(result)) {
      for (const [at, { key }] of claims.rooms.entries()) {
        if (result[at]?.word !== 'ok') continue
        releases.forget(key)
        endedCalls.watch(key)
      }
    }
    return result
  }

  async function accept (id: string, sentAt: Moment, claims: RoomClaim[]): Promise<NodeAnswer> {
    const since = lease.hear(sentAt)
    // Release in the background: the next heartbeat retries.
    releases.releaseAgain().catch(() => {})
    const [ends, order] = await Promise.all([
      endedCalls.read(), ownOrder(id, { ms: callMs() }).catch(() => undefined)
    ])
    return { outcome: 'ok', now: sentAt.wall, nowAt: sentAt, since, ends, claims, order }
  }

  /** @returns undefined if another process wrote the id first, or if the parents had to be created */
  async function tryToRegister (
    { member, record: text, replaces, claims }: RegisterCall
  ): Promise<NodeAnswer | undefined> {
    const { id, incarnation } = splitMember(member)
    const idPath = layout.idPath(id)
    const sentAt = momentOf(clock)
    const sentIn = client.sessionId()
    const found = await client.get(idPath, { ms: callMs() })
    const present = found?.data.toString() ?? ''
    if (present === incarnation) return await acceptOwn(member, sentAt, sentIn, claims)
    if (present !== replaces) return { outcome: 'present', incarnation: present }
    const old = memberOf({ id, incarnation: present })
    const data = Buffer.from(incarnation)
    const first: ZooKeeperOp[] = [
      found === undefined ? { type: 'create', path: idPath, data } : { type: 'set', path: idPath, data, version: found.stat.version },
      { type: 'create', path: layout.nodePath(member), data: Buffer.from(text), ephemeral: true }
    ]
    const isOldAlive = present !== '' && await client.exists(layout.nodePath(old), { ms: callMs() }) !== undefined
    if (isOldAlive) first.push({ type: 'remove', path: layout.nodePath(old) })
    session = sentIn
    const result = await claimWith(first, { member, replaces: old }, claims)
    if (Array.isArray(result)) {
      record = text
      return await accept(id, sentAt, result)
    }
    if (result.name === 'NO_NODE') await makeParents(idPath)
    return undefined
  }

  /** Lets the leader hear of the session, no matter which server dies, so that the registration begins with a lease. */
  async function refresh (): Promise<void> {
    const sentAt = momentOf(clock)
    // The leader answers a transaction, even a refused one; a follower that is cut off from it answers reads alone.
    await client.multi([{ type: 'check', path: layout.nodes }], { ms: callMs() })
    lease.hear(sentAt)
    await new Promise<void>((resolve) => { clock.after(lease.reportMs(), () => resolve()) })
  }

  async function makeParents (idPath: string): Promise<void> {
    await Promise.all([parentOf(idPath), layout.nodes].map(async (path) => {
      await ensurePath(client, path, { ms: callMs() })
    }))
  }

  /** Accepts a registration that was written without an answer: in this session, or in one that ends with its znode. */
  async function acceptOwn (
    member: string, sentAt: Moment, sentIn: string | undefined, claims: Claims
  ): Promise<NodeAnswer> {
    const path = layout.nodePath(member)
    const own = await client.exists(path, { ms: callMs() })
    if (own === undefined || own.ephemeralOwner !== sentIn) return { outcome: 'lapsed' }
    session = sentIn
    const result = await claimWith([{ type: 'check', path }], { member }, claims)
    return Array.isArray(result) ? await accept(splitMember(member).id, sentAt, result) : { outcome: 'lapsed' }
  }

  return {
    batch: BATCH,
    // An ensemble loses nothing, so rooms are claimed again only rarely.
    claimsAgain: (open) => Math.ceil(open * client.sessionTimeout() / BEATS_PER_SESSION / CLAIM_AGAIN_MS),
    roomKey: layout.roomKey,
    get times () {
      const granted = client.sessionTimeout()
      return { heartbeat: granted / BEATS_PER_SESSION, lease: granted, linger: lingerMs }
    },

    async register (call) {
      own = call.member
      if (!lease.isFresh()) await refresh()
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const answer = await tryToRegister(call)
        if (answer !== undefined) return answer
      }
      throw unavailable('the node cannot be registered')
    },

    async beat ({ member, record: text, claims, heard = [] }) {
      const path = layout.nodePath(member)
      // A znode of another session vanishes with that session.
      if (client.sessionId() !== session) return { outcome: 'lapsed' }
      const sentAt = momentOf(clock)
      const first: ZooKeeperOp = text === record ? { type: 'check', path } : { type: 'set', path, data: Buffer.from(text) }
      const result = await claimWith([first], { member }, claims)
      if (!Array.isArray(result) || client.sessionId() !== session) return { outcome: 'lapsed' }
      record = text
      const answer = await accept(splitMember(member).id, sentAt, result)
      // In the background: the next heartbeat tries again.
      moved.giveUp(member, heard).catch(() => {})
      return answer
    },

    async claim ({ epoch, member, claims, signal }) {
      if (client.sessionId() !== session) return { outcome: 'lapsed' }
      const sentAt = clock.wall()
      try {
        const result = await claimWith([{ type: 'check', path: layout.nodePath(member) }], { member, signal }, claims)
        return Array.isArray(result) ? { outcome: 'ok', now: sentAt, ends: [], claims: result } : { outcome: 'lapsed' }
      } catch (error) {
        for (const { key, number } of claims.rooms) {
          if (!endedCalls.isWatched(key)) releases.releaseLater({ epoch, member, key, number })
        }
        throw error
      }
    },

    async release (call) {
      endedCalls.forget(call.key)
      await releases.release(call)
    },

    async leave (members) {
      for (const member of members) {
        const { id, incarnation } = splitMember(member)
        const idPath = layout.idPath(id)
        const found = await client.get(idPath, { ms: callMs() })
        const isOurs = found?.data.toString() === incarnation
        // One transaction: a missing node that still owns its id counts as vanished, not as departed.
        const ops: ZooKeeperOp[] = isOurs ? [{ type: 'remove', path: idPath, version: found.stat.version }] : []
        await client.multi([...ops, { type: 'remove', path: layout.nodePath(member) }], { ms: callMs() })
      }
    },

    onNews: endedCalls.onNews,

    close () {
      unsubscribe()
      endedCalls.stop()
    }
  }
}
