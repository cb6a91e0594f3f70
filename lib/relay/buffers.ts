/** The part of a WebSocket that a buffer is about. */
export interface BufferedSocket {
  readonly bufferedAmount: number
}

/** A client whose unsent bytes are counted. */
export interface Buffered {
  readonly socket: BufferedSocket
  /** Unsent bytes when they were last counted. */
  buffered: number
}

export interface BufferLimits {
  /** Bytes for one client. */
  each: number
  /** Bytes for all clients together. */
  total: number
}

/** Keeps the unsent data of clients that read slowly within limits. */
export interface Buffers<C extends Buffered> {
  /** Bytes, counted anew. */
  bytes (): number
  add (client: C): void
  remove (client: C): void
  /** Counts the unsent bytes of a client that was sent something. */
  count (client: C): void
}

/** @param drop disconnects a client without further notice; it need not call `remove` at once */
export function createBuffers<C extends Buffered> (
  { each, total }: BufferLimits, drop: (client: C) => void
): Buffers<C> {
  const clients = new Set<C>()
  /** Never too small: what was written since a client was last counted is still in it. */
  let sum = 0

  function countOne (client: C): void {
    const { bufferedAmount } = client.socket
    sum += bufferedAmount - client.buffered
    client.buffered = bufferedAmount
  }

  function remove (client: C): void {
    if (!clients.delete(client)) return
    sum -= client.buffered
    client.buffered = 0
  }

  function dropLargest (): void {
    for (const client of clients) countOne(client)
    if (sum <= total) return
    const largest = [...clients].filter(({ buffered }) => buffered > 0).sort((a, b) => b.buffered - a.buffered)
    for (const client of largest) {
      if (sum <= total) return
      remove(client)
      drop(client)
    }
  }

  return {
    bytes () {
      for (const client of clients) countOne(client)
      return sum
    },
    add: (client) => { clients.add(client) },
    remove,
    count (client) {
      if (!clients.has(client)) return
      countOne(client)
      if (client.buffered > each) {
        remove(client)
        drop(client)
      } else if (sum > total) dropLargest()
    }
  }
}
