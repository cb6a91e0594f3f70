import type { Subject } from '../../../lib/signing/issue.js'
import type { Registry } from '../../../types/registry.js'
import type { Step } from './commands.js'
import type { Judge } from './judge.js'
import type { Process, Timeline } from './timeline.js'

export interface Link {
  isCut: boolean
  /** `refuse`: messages into a cut fail at once. `wait`: they arrive when it heals, as from a client that retries. */
  cutMode: 'refuse' | 'wait'
  /** Treatment of the next message: it arrives late, or its answer does. */
  next?: 'late' | 'answered late' | undefined
}

export interface Host {
  process: Process
  link: Link
}

/** Milliseconds, except for two values in whole seconds, as in a signature. */
export interface Times {
  lease: number
  heartbeat: number
  ttl: number
  skew: number
  patience: number
  /** Error of the clocks by which nodes check signatures. */
  clockError: number
}

/** Defaults of the project. */
export const DEFAULT_TIMES: Times = { lease: 6000, heartbeat: 2000, ttl: 15, skew: 5, patience: 2000, clockError: 0 }

/** Store of all registries in a world, behind a network that can lose messages. */
export interface Store {
  /** True while the store is unreachable; its clock goes on. */
  isAway: boolean
  /** Number of messages on their way. */
  readonly late: number
  /** Makes the store look as if it had settled long ago. */
  prepare (): Promise<void>
  /** Delivers the late messages. */
  land (): void
  /** Heals all faults of the store. */
  heal (): void
}

/** Time and store on which a world runs. */
export interface Fixture {
  times: Times
  timeline: Pick<Timeline, 'now' | 'clockOf' | 'flush' | 'advance' | 'afterEach'>
  store: Store
  createRegistry (host: Host): Registry
  /** Faults of this store that others lack, or have in another form; by name. */
  faults: Record<string, Step>
  /** Reports the actions of the store to the judge. */
  reportTo (judge: Judge): void
  /** Latest time at which the store had taken the decision that is now signed. */
  decidedAt (subject: Subject): number
}
