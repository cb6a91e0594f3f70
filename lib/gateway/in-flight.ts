import { createConcurrencyLimit } from './concurrency-limit.js'
import { createSaturation, createTurnMeter } from '../common/event-loop.js'
import { createUnreadConnections } from './unread-connections.js'
import type { Reader } from './unread-connections.js'

/** Counts the requests under way against a limit. */
export interface InFlight {
  count (): number
  /** The number of requests that may be in flight at present. */
  limit (): number
  /** Whether every place is taken, or will be by the requests that come before. */
  isFull (before?: number): boolean
  /**
   * Takes a place; returns `undefined` if every place is taken. Call the result once, after the answer to the request.
   */
  enter (): (() => void) | undefined
  /**
   * A request of this connection was refused. While the event loop is saturated, the next request is read as soon as
   * there is a place for it, after a second at the latest.
   */
  turnAway (connection: Reader): void
  /** Resolves as soon as no request is under way, after `ms` at the latest. */
  idle (ms: number): Promise<void>
}

/** @param isSaturated whether the event loop has no time to spare for error answers */
export function createInFlight (max: number, isSaturated = createSaturation()): InFlight {
  const limit = createConcurrencyLimit(max, () => performance.now())
  const unread = createUnreadConnections()
  const measureTurn = createTurnMeter((ms) => {
    limit.turned(ms, peak)
    peak = count
  })
  let count = 0
  /** The most requests at once since the previous turn: one turn may read a thousand, and the next answer them all. */
  let peak = 0
  let onIdle = () => {}

  function leave (): void {
    count--
    unread.readInto(() => limit.current(count) - count)
    if (count === 0) onIdle()
  }

  function isFull (before = 0): boolean {
    measureTurn()
    return count + before >= limit.current(count)
  }

  return {
    count: () => count,
    limit: () => limit.current(count),
    isFull,
    enter () {
      if (isFull()) return undefined
      peak = Math.max(peak, ++count)
      return leave
    },
    turnAway (connection) {
      if (isSaturated()) unread.add(connection)
    },
    async idle (ms) {
      if (count === 0) return
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        onIdle = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
