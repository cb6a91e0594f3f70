import { createConcurrencyLimit } from './concurrency-limit.js'
import { createSaturation, createTurnMeter } from '../common/event-loop.js'
import { createUnreadConnections } from './unread-connections.js'
import type { Reader } from './unread-connections.js'

/** Counts the requests under way, and says when there are too many. */
export interface InFlight {
  count (): number
  /** How many there may be at present. */
  limit (): number
  /** There are as many as may be. */
  isFull (): boolean
  /** `undefined` when there are as many as may be. Call the result once, when the request is answered. */
  enter (): (() => void) | undefined
  /**
   * A request of this connection was refused. While the event loop is saturated the next one is read once there is a
   * place for it, after a second at the latest.
   */
  turnAway (connection: Reader): void
  /** Resolves when none is under way, at the latest after `ms`. */
  idle (ms: number): Promise<void>
}

/** @param isSaturated whether the event loop has no time to spare for refusals */
export function createInFlight (max: number, isSaturated = createSaturation()): InFlight {
  const limit = createConcurrencyLimit(max, () => performance.now())
  const unread = createUnreadConnections()
  const measureTurn = createTurnMeter((ms) => {
    limit.turned(ms, peak)
    peak = count
  })
  let count = 0
  /** The most at once since the turn before: one may read a thousand requests, and the next one answer them all. */
  let peak = 0
  let onIdle = () => {}

  function leave (): void {
    count--
    unread.readInto(() => limit.current(count) - count)
    if (count === 0) onIdle()
  }

  function isFull (): boolean {
    measureTurn()
    return count >= limit.current(count)
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
