import { UnreadableBindingError } from '../../common/unavailable.js'
import type { Clock } from '../../common/clock.js'
import type { RoomEnd } from '../membership/node-store.js'
import type { ZooKeeperRooms } from './room-records.js'

export interface EndedCallsOptions {
  rooms: ZooKeeperRooms
  clock: Pick<Clock, 'wall'>
  /** Most rooms that are read at once. */
  batch: number
  callMs (): number
  /** Whether a binding names this node. */
  isOwn (member: string | undefined): boolean
  /** Called for a room that an operator moves away from this node. */
  onMoving (key: string): void
}

/** Watches the rooms of a node for the end of their call. */
export interface EndedCalls {
  /** Watches a room, in the background: a client that is admitted before the answer learns of an end afterwards. */
  watch (key: string): void
  isWatched (key: string): boolean
  forget (key: string): void
  /** Marks a room as changed, even if it is not watched. */
  lookAt (key: string): void
  /** Marks all rooms as changed, since watches were lost, and their events with them. */
  lookAtAll (): void
  /** Reads the rooms that changed. */
  read (): Promise<RoomEnd[]>
  /** Sets the listener that is called when there are changed rooms to read. */
  onNews (listener: () => void): void
  stop (): void
}

export function createEndedCalls ({ rooms, clock, batch, callMs, isOwn, onMoving }: EndedCallsOptions): EndedCalls {
  const watched = new Map<string, () => void>()
  const changed = new Set<string>()
  let tellNews = () => {}

  function news (key: string): void {
    changed.add(key)
    tellNews()
  }

  async function look (key: string): Promise<RoomEnd | undefined> {
    const { binding } = await rooms.read(key, { ms: callMs(), watch: watched.get(key) })
    if (binding === undefined) return undefined
    if (binding.state === 'moving' && isOwn(binding.member)) {
      onMoving(key)
      // By this node's clock: it must close the room, whoever's clock dated the move.
      return { key, at: Math.floor(clock.wall()) }
    }
    return binding.endedAt > 0 ? { key, at: binding.endedAt } : undefined
  }

  return {
    watch (key) {
      if (watched.has(key)) return
      watched.set(key, () => { if (watched.has(key)) news(key) })
      look(key).then((end) => { if (end !== undefined) news(key) }, () => news(key))
    },
    isWatched: (key) => watched.has(key),
    forget (key) {
      watched.delete(key)
      changed.delete(key)
    },
    lookAt: news,
    lookAtAll () {
      for (const key of watched.keys()) changed.add(key)
      tellNews()
    },
    async read () {
      const keys = [...changed].slice(0, batch)
      const ends = await Promise.all(keys.map(async (key) => {
        try {
          changed.delete(key)
          return await look(key)
        } catch (error) {
          // An unreadable room is left as it is.
          if (!(error instanceof UnreadableBindingError)) changed.add(key)
          return undefined
        }
      }))
      if (changed.size > 0 && keys.length === batch) tellNews()
      return ends.filter((end) => end !== undefined)
    },
    onNews (listener) {
      tellNews = listener
    },
    stop: () => watched.clear()
  }
}
