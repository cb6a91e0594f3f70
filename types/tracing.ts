/**
 * The message of the tracing channels `cobrowse:connectionInfo`, `cobrowse:sessions`, `cobrowse:registry` and
 * `cobrowse:provision`: one object for all events of an operation, so that a subscriber can keep its own data on it.
 */
export interface TraceEvent {
  /** One request of a connection, or one call of an adapter within it. */
  operation: 'connectionInfo' | 'sessions' | 'registry' | 'provision'
  /** Fastify's id of the request; left out for calls of `app.cobrowse`. */
  requestId?: string | undefined
  /** Of `connectionInfo`: the tenant of the caller. */
  tenant?: string | undefined
  /** Of `connectionInfo`: the role that the caller asked for. */
  role?: string | undefined
  /** Of `connectionInfo`: the room as log lines name it. */
  room?: string | undefined
  /** Of `connectionInfo`, from `asyncStart` on: the id of the room's node, if the room has one. */
  node?: string | undefined
  /** From `error` on. The messages of its causes may quote the input: record `code` and `message` alone. */
  error?: unknown
  /** Always undefined: an answer contains a signature. */
  result?: undefined
}
