import type {
  CobrowseFailure, ConnectionState, ConnectionStats, Message, OutgoingMessage, TrafficCount
} from '../../types/client.js'

/** Counts what `connection.stats()` tells. */
export interface StatsCounter {
  changed (state: ConnectionState): void
  opened (url: string): void
  ended (error: CobrowseFailure): void
  sent (message: OutgoingMessage): void
  received (message: Message): void
  read (): ConnectionStats
}

export function createStats (): StatsCounter {
  let state: ConnectionState = 'asking'
  let since = Date.now()
  let url: string | undefined
  let openings = 0
  let lastError: CobrowseFailure | undefined
  const sent = { messages: 0, bytes: 0 }
  const received = { messages: 0, bytes: 0 }

  return {
    changed (to) {
      state = to
      since = Date.now()
    },
    opened (address) {
      url = address
      openings++
    },
    ended (error) {
      lastError = error
    },
    sent: (message) => count(sent, message),
    received: (message) => count(received, message),
    read: () => ({
      state, since, url, reconnects: Math.max(0, openings - 1), sent: { ...sent }, received: { ...received }, lastError
    })
  }
}

const encoder = new TextEncoder()

function count (traffic: TrafficCount, message: OutgoingMessage): void {
  traffic.messages++
  traffic.bytes += typeof message === 'string' ? encoder.encode(message).length : message.byteLength
}
