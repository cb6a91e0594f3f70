import type { Subject } from '../../../lib/signature.js'
import type { Registry } from '../../../types/registry.js'
import type { Act } from './commands.js'
import type { Judge } from './judge.js'
import type { Process, Timeline } from './timeline.js'

export interface Link {
  isCut: boolean
  /** Messages into a cut are refused at once, or arrive when it heals, as from a client that sends them again. */
  cutMode: 'refuse' | 'wait'
  /** What happens to the next message: it arrives late, or its answer does. */
  next?: 'late' | 'answered late' | undefined
}

export interface Host {
  process: Process
  link: Link
}

/** Milliseconds, but for the two that are whole seconds as in a signature. */
export interface Times {
  lease: number
  heartbeat: number
  ttl: number
  skew: number
  patience: number
  /** By how much clocks are wrong that a node judges signatures by. */
  clockError: number
}

/** The defaults of the project. */
export const DEFAULT_TIMES: Times = { lease: 6000, heartbeat: 2000, ttl: 15, skew: 5, patience: 2000, clockError: 0 }

/** What all registries of a world ask, and a network that can lose what is said to it. */
export interface Store {
  /** Nobody reaches it; its clock goes on. */
  isAway: boolean
  /** How much is still on its way. */
  readonly late: number
  /** Begins as one that settled long ago. */
  prepare (): Promise<void>
  /** What was late arrives. */
  land (): void
  /** Undoes all faults of its own. */
  heal (): void
}

/** The time and the store that a world runs on. */
export interface Stage {
  times: Times
  timeline: Pick<Timeline, 'now' | 'clockOf' | 'flush' | 'advance' | 'afterEach'>
  store: Store
  createRegistry (host: Host): Registry
  /** What can happen to this store only, or in another way than to others; by name. */
  faults: Record<string, Act>
  /** Tells the judge what the store did. */
  witness (judge: Judge): void
  /** When the store had taken the decision, at the latest, that is signed now. */
  decidedAt (subject: Subject): number
}
