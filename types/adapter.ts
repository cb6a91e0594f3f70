import type { FastifyBaseLogger } from 'fastify'

/** The state of an adapter's backend. */
export interface BackendStatus {
  /**
   * `starting` no answer so far · `up` answers · `degraded` answers in part, or from memory ·
   * `down` cannot be asked · `closed` the adapter was closed.
   */
  state: 'starting' | 'up' | 'degraded' | 'down' | 'closed'
  /** Start of this state, in milliseconds since the epoch. */
  since: number
  /** The cause, in a few words for an operator. Holds no secret, host or token. */
  reason?: string
  /** Age in milliseconds of the view that answers are made from, if the adapter keeps one. */
  viewAgeMs?: number
}

/** Context that the plugin passes to an adapter when the application becomes ready. */
export interface AdapterContext {
  log: FastifyBaseLogger
  /** Call this at every change of state; the plugin logs the change once and sets the gauge. */
  onState (status: BackendStatus): void
  /**
   * Whether a WebSocket address may leave the gateway. An adapter that keeps addresses checks a new one before it
   * replaces a good one. Left out: every address may.
   */
  acceptsAddress?: ((address: string) => boolean) | undefined
  /** Call this once for each text of a node record that cannot be read; the plugin counts it. */
  onRejectedRecord?: (() => void) | undefined
}

/** The part that all adapters have in common. */
export interface Adapter {
  /**
   * Called when the application becomes ready, once per plugin instance that uses the adapter.
   * Never waits and never throws because a backend is away.
   */
  start (context: AdapterContext): void
  /** The present state. Never throws. */
  status (): BackendStatus
  /**
   * Called once per `start`. The last call ends the adapter's own timers, pools and leases, never a client that was
   * passed to the adapter. Further calls do nothing.
   *
   * @param context the one `start` was called with: it gets no further state and its log no further line. A context
   *   that did not start the adapter closes nothing. Left out: the one that started first
   */
  close (context?: AdapterContext): Promise<void>
}
