/** The delay that `Retry-After` gives the refused caller. */
const MOST_MS = 1000
/**
 * The share of the free places. With all of them, a fifth more requests are refused (`npm run test:long -- overload`).
 */
const SHARE = 0.5

/** The part of a socket that controls reading. */
export interface Reader {
  pause (): unknown
  resume (): unknown
}

/**
 * Connections whose last request was refused. They are not read until there is a place again: callers that retry at
 * once would otherwise take time from accepted requests, since a refusal costs a fraction of an answer.
 */
export interface UnreadConnections {
  add (connection: Reader): void
  /**
   * Reads some of them again as places become free, those that wait longest first.
   *
   * @param free the number of requests there are places for
   */
  readInto (free: () => number): void
}

export function createUnreadConnections (): UnreadConnections {
  const unread = new Map<Reader, NodeJS.Timeout>()
  let isWaiting = false

  function read (connection: Reader): void {
    clearTimeout(unread.get(connection))
    unread.delete(connection)
    connection.resume()
  }

  function readInto (free: () => number): void {
    if (isWaiting || unread.size === 0) return
    isWaiting = true
    // Callers with a fresh answer ask again within a turn of the event loop, and take the places that they left.
    afterATurn(() => {
      isWaiting = false
      let places = Math.ceil(free() * SHARE)
      if (places <= 0) return
      for (const connection of unread.keys()) {
        if (places-- === 0) break
        read(connection)
      }
      readInto(free)
    })
  }

  return {
    add (connection) {
      if (unread.has(connection)) return
      unread.set(connection, setTimeout(read, MOST_MS, connection).unref())
      // The end of the refused request would make its connection flow again.
      setImmediate(() => {
        if (unread.has(connection)) connection.pause()
      })
    },
    readInto
  }
}

function afterATurn (action: () => void): void {
  setImmediate(() => setImmediate(action))
}
