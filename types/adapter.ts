import type { FastifyBaseLogger } from 'fastify'

/** What an adapter says of the backend behind it. */
export interface BackendStatus {
  /**
   * `starting` nothing heard yet · `up` answers · `degraded` answers in part, or from what is remembered ·
   * `down` cannot be asked · `closed` the adapter was closed.
   */
  state: 'starting' | 'up' | 'degraded' | 'down' | 'closed'
  /** When this state began, in milliseconds since the epoch. */
  since: number
  /** Why, in a few words for an operator. Holds no secret, host or token. */
  reason?: string
  /** Age in milliseconds of the view that answers are made from, where the adapter keeps one. */
  viewAgeMs?: number
}

/** What the plugin hands to an adapter when the application becomes ready. */
export interface AdapterContext {
  log: FastifyBaseLogger
  /** Call it at every change of state; the plugin logs it once and sets the gauge. */
  onState (status: BackendStatus): void
  /**
   * Whether a WebSocket address may leave the gateway. An adapter that keeps addresses asks it before a new one takes
   * the place of a good one. Left out: any may.
   */
  acceptsAddress?: ((address: string) => boolean) | undefined
}

/** What every adapter has in common. */
export interface Adapter {
  /**
   * Called when the application becomes ready, once per plugin instance that uses the adapter.
   * Never waits and never throws because a backend is away.
   */
  start (context: AdapterContext): void
  /** The present state. Never throws. */
  status (): BackendStatus
  /**
   * Called once per `start`. The last call ends what the adapter made (timers, pools, leases), never a client
   * that it was given. Further calls do nothing.
   *
   * @param context that `start` was called with: it is told no more, and its log gets no further line. One that did not
   *   start the adapter closes nothing. Left out: the one that started first
   */
  close (context?: AdapterContext): Promise<void>
}
