/** As `Retry-After` tells the refused caller. */
const MOST_MS = 1000

/** A socket, as far as it is read. */
export interface Reader {
  pause (): unknown
  resume (): unknown
}

/**
 * Connections whose last request was refused. They are not read until a request is answered: callers that ask again at
 * once would otherwise take the time of those who are served, since a refusal costs about a tenth of an answer.
 */
export interface UnreadConnections {
  add (connection: Reader): void
  /** The one that waits longest is read again. */
  readOne (): void
  readAll (): void
}

export function createUnreadConnections (): UnreadConnections {
  const unread = new Map<Reader, NodeJS.Timeout>()

  function read (connection: Reader): void {
    const timer = unread.get(connection)
    if (timer === undefined) return
    unread.delete(connection)
    clearTimeout(timer)
    connection.resume()
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
    readOne () {
      const [connection] = unread.keys()
      if (connection !== undefined) read(connection)
    },
    readAll () {
      for (const connection of unread.keys()) read(connection)
    }
  }
}
