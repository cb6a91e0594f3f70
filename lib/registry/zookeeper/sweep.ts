import { BUCKETS } from './layout.js'
import type { Clock } from '../../clock.js'
import type { ZooKeeperClient, ZooKeeperStat } from '../zookeeper-client/client.js'
import type { Binding } from './binding.js'
import type { ZooKeeperLayout } from './layout.js'
import type { ZooKeeperRooms } from './rooms.js'

/** A room may stay behind a shut door for ten minutes, and its node be away for as long. */
const REMEMBER_MS = 900_000
/** More rooms than this are left to the next round. */
const MAX_NOTED = 100_000
const TICK_MS = 1000
/** Between two looks at the ids of nodes that never came back. */
const IDS_MS = 60_000
/**
 * How long a node has to be away before its id is given up. One that never heard of its registration sends the same
 * again; without its id it would be taken for a new one, and come back to life after its rooms went to others.
 */
const AWAY_MS = 120_000
/** Deletions under way at once. */
const AT_ONCE = 16

/**
 * Deletes rooms whose binding has ended: those that nobody wrote for the linger by this process's own clock, the only
 * one that ZooKeeper leaves us. Whether nobody did tells the text, which no two writes share.
 */
export interface Sweep {
  /** The room was written, or seen, with this text now. */
  note (key: string, text: string, binding: Binding): void
  /** Looks for rooms that others left behind: one bucket a second. */
  startRound (): void
  stop (): void
}

export interface SweepOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  lingerMs: number
  clock: Clock
}

interface Noted {
  text: string
  due: number
}

export function createSweep ({ client, layout, rooms, lingerMs, clock }: SweepOptions): Sweep {
  const noted = new Map<string, Noted>()
  const tickMs = Math.min(TICK_MS, lingerMs / 4)
  let cancelTick: (() => void) | undefined
  let isRound = false
  let nextBucket = Math.floor(Math.random() * BUCKETS.length)
  let isStopped = false
  let idsDue = clock.monotonic() + IDS_MS * Math.random()
  /** Registrations whose node is not there, and since when that is known. */
  let away = new Map<string, number>()

  function note (key: string, text: string, { endedAt }: Binding): void {
    if (noted.get(key)?.text === text || noted.size >= MAX_NOTED) return
    noted.set(key, { text, due: clock.monotonic() + (endedAt > 0 ? Math.max(REMEMBER_MS, lingerMs) : lingerMs) })
    tickAfter()
  }

  function tickAfter (): void {
    if (isStopped || cancelTick !== undefined || (noted.size === 0 && !isRound)) return
    cancelTick = clock.after(tickMs, async () => {
      // What fails is found again in a later round.
      await tick().catch(() => {})
      cancelTick = undefined
      tickAfter()
    })
  }

  async function tick (): Promise<void> {
    const now = clock.monotonic()
    const due = [...noted].filter(([, { due }]) => due <= now)
    for (let at = 0; at < due.length; at += AT_ONCE) {
      await Promise.all(due.slice(at, at + AT_ONCE).map(async ([key, { text }]) => {
        noted.delete(key)
        await sweep(key, text).catch(() => {})
      }))
    }
    if (!isRound) return
    await look()
    if (now < idsDue) return
    idsDue = now + IDS_MS
    await sweepIds()
  }

  async function sweep (key: string, text: string): Promise<void> {
    const room = await rooms.read(key)
    if (room.text !== text || room.binding === undefined) return
    const { member, state } = room.binding
    // It is claimed again by its node for as long as that lives, and released when it is empty.
    if (state === 'claimed' && member !== undefined && await client.exists(layout.nodePath(member)) !== undefined) return
    await client.multi(rooms.remove(room))
  }

  async function look (): Promise<void> {
    const bucket = BUCKETS[nextBucket] ?? ''
    nextBucket = (nextBucket + 1) % BUCKETS.length
    const keys = await client.children(layout.bucketPath(bucket)) ?? []
    for (const key of keys) {
      if (noted.has(key)) continue
      const room = await rooms.read(key).catch(() => undefined)
      if (room?.text !== undefined && room.binding !== undefined) note(key, room.text, room.binding)
    }
  }

  async function sweepIds (): Promise<void> {
    const children = await client.children(layout.ids) ?? []
    const stillAway = new Map<string, number>()
    for (const child of children) {
      const found = await client.get(`${layout.ids}/${child}`)
      if (found === undefined) continue
      const member = `${child.slice(0, -1)}|${found.data.toString()}`
      if (await client.exists(layout.nodePath(member)) !== undefined) continue
      const since = away.get(member) ?? clock.monotonic()
      if (clock.monotonic() - since < Math.max(AWAY_MS, 2 * lingerMs)) stillAway.set(member, since)
      else await removeId(child, found.stat)
    }
    away = stillAway
  }

  async function removeId (child: string, { czxid, version }: ZooKeeperStat): Promise<void> {
    const path = `${layout.ids}/${child}`
    // The parent's version tells whether the id was deleted and registered again since, as that of a bucket does.
    const [parent, again] = await Promise.all([client.exists(layout.ids), client.get(path)])
    if (parent === undefined || again?.stat.czxid !== czxid || again.stat.version !== version) return
    await client.multi([
      { type: 'set', path: layout.ids, data: Buffer.alloc(0), version: parent.version },
      { type: 'remove', path, version }
    ])
  }

  return {
    note,
    startRound () {
      isRound = true
      tickAfter()
    },
    stop () {
      isStopped = true
      cancelTick?.()
      noted.clear()
    }
  }
}
