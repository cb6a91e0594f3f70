import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/** A client that is pinged. */
export interface Pinged {
  readonly socket: Pick<WebSocket, 'OPEN' | 'readyState' | 'isPaused' | 'ping'>
  readonly connection: Pick<Socket, 'bytesRead'>
  /** Bytes that it was sent so far. */
  readonly sentBytes: number
}

/** Finds clients that are gone. Such a client never closes, and would keep its room open. */
export interface Liveness<C extends Pinged> {
  /** Pings the client from now on. @param onPing called each interval */
  add (client: C, onPing: () => void): void
  remove (client: C): void
  /** The client has answered its ping. */
  answered (client: C): void
  end (): void
}

/** Thousands of pings at once would delay the messages of all clients. */
const SLICES = 20
/** Bytes a second that a network carries at least, which is 1 Mbit/s. */
const SLOWEST_NETWORK = 128 * 1024

interface State {
  onPing (): void
  slice: number
  isUnanswered: boolean
  wasPaused: boolean
  /** Intervals without a sign of life that are left. */
  patience: number
  /** Bytes that have been read from the client. */
  readBytes: number
  /** Bytes that it had been sent before the last ping, and before the last one that it answered. */
  pingedAt: number
  answeredAt: number
}

/**
 * A client that was sent much answers late, since what was sent before the ping has to arrive first. And one that sends
 * much answers late, since its answer comes after that.
 *
 * @param interval milliseconds between two pings of a client
 * @param onSilent called with a client that has neither answered a ping nor sent anything for an interval, and for as
 *   long as a slow network needs for what it was sent
 */
export function createLiveness<C extends Pinged> (interval: number, onSilent: (client: C) => void): Liveness<C> {
  const clients = new Map<C, State>()
  let added = 0
  let slice = 0
  const bytesOfInterval = SLOWEST_NETWORK * interval / 1000
  const timer = setInterval(lookAtSlice, interval / SLICES)

  function lookAtSlice (): void {
    slice = (slice + 1) % SLICES
    for (const [client, state] of clients) if (state.slice === slice) lookAt(client, state)
  }

  function lookAt (client: C, state: State): void {
    if (state.isUnanswered && !hasSent(client, state) && state.patience-- === 0) return onSilent(client)
    if (client.socket.readyState !== client.socket.OPEN) return
    if (!state.isUnanswered) ping(client, state)
    state.onPing()
  }

  /** What a client sends while it is not read waits in its connection, and is not read at once after that. */
  function hasSent ({ socket: { isPaused }, connection: { bytesRead } }: C, state: State): boolean {
    const isHeard = isPaused || state.wasPaused || bytesRead > state.readBytes
    state.wasPaused = isPaused
    state.readBytes = bytesRead
    return isHeard
  }

  function ping (client: C, state: State): void {
    state.isUnanswered = true
    state.wasPaused = client.socket.isPaused
    state.patience = Math.floor((client.sentBytes - state.answeredAt) / bytesOfInterval)
    state.readBytes = client.connection.bytesRead
    state.pingedAt = client.sentBytes
    client.socket.ping()
  }

  return {
    add (client, onPing) {
      clients.set(client, {
        onPing,
        slice: added++ % SLICES,
        isUnanswered: false,
        wasPaused: false,
        patience: 0,
        readBytes: 0,
        pingedAt: 0,
        answeredAt: 0
      })
    },
    remove: (client) => { clients.delete(client) },
    answered (client) {
      const state = clients.get(client)
      if (state === undefined) return
      state.isUnanswered = false
      state.answeredAt = state.pingedAt
    },
    end: () => clearInterval(timer)
  }
}
