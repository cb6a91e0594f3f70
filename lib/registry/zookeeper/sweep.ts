import { REMEMBER_ENDS_MS } from '../membership/ended-rooms.js'
import { createIdSweep } from './id-sweep.js'
import { isMove } from './binding.js'
import { BUCKETS } from './layout.js'
import type { Clock } from '../../common/clock.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { Binding } from './binding.js'
import type { ZooKeeperLayout } from './layout.js'
import type { ZooKeeperRooms } from './room-records.js'

/** Most rooms noted at once: the next round finds the rest. */
const MAX_NOTED = 100_000
const TICK_MS = 1000
const MAX_ROOMLESS = 10_000
/** Most deletions in flight. */
const AT_ONCE = 16

/**
 * Deletes rooms whose binding has ended: rooms without a write for the linger, by this process's own clock, since
 * ZooKeeper offers none. An unchanged text proves that no write came, since no two writes share a text.
 */
export interface Sweep {
  /** Notes a room that was written or read with this text now. */
  note (key: string, text: string, binding: Binding): void
  /** Begins to look for rooms that others left behind: one bucket per second. */
  startRound (): void
  stop (): void
}

export interface SweepOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  rooms: ZooKeeperRooms
  lingerMs: number
  clock: Clock
  /** Most ends that are kept for calls without a room, since any caller can add them. */
  maxRoomless?: number
}

interface Noted {
  text: string
  due: number
}

export function createSweep (options: SweepOptions): Sweep {
  const { client, layout, rooms, lingerMs, clock, maxRoomless = MAX_ROOMLESS } = options
  const noted = new Map<string, Noted>()
  /** Keys, the oldest first. */
  const roomless = new Set<string>()
  const tickMs = Math.min(TICK_MS, lingerMs / 4)
  let cancelTick: (() => void) | undefined
  let isRound = false
  let nextBucket = Math.floor(Math.random() * BUCKETS.length)
  let isStopped = false
  const ids = createIdSweep({ client, layout, lingerMs, clock })

  function note (key: string, text: string, binding: Binding): void {
    if (noted.get(key)?.text === text || noted.size >= MAX_NOTED) return
    // A room that an operator moves must not return to its node.
    const isKept = binding.endedAt > 0 || isMove(binding)
    noted.set(key, { text, due: clock.monotonic() + (isKept ? Math.max(REMEMBER_ENDS_MS, lingerMs) : lingerMs) })
    if (binding.state === 'ended') noteRoomless(key)
    else roomless.delete(key)
    tickAfter()
  }

  function noteRoomless (key: string): void {
    roomless.add(key)
    if (roomless.size <= maxRoomless) return
    const [oldest = ''] = roomless
    roomless.delete(oldest)
    const pushedOut = noted.get(oldest)
    if (pushedOut !== undefined) pushedOut.due = clock.monotonic()
  }

  function tickAfter (): void {
    if (isStopped || cancelTick !== undefined || (noted.size === 0 && !isRound)) return
    cancelTick = clock.after(tickMs, async () => {
      // A later round finds failed rooms again.
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
        roomless.delete(key)
        await sweep(key, text).catch(() => {})
      }))
    }
    if (!isRound) return
    await look()
    await ids.tick()
  }

  async function sweep (key: string, text: string): Promise<void> {
    const room = await rooms.read(key)
    if (room.text !== text || room.binding === undefined) return
    const { member, state } = room.binding
    // A living node claims its room again, and releases it when it is empty.
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
      roomless.clear()
    }
  }
}
