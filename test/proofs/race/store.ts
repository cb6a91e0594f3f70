import type { Note } from './history.mjs'
import type { Random } from './random.mjs'

/** Tools that the race passes to the faults of a store. */
export interface FaultTools {
  /** Milliseconds, shorter than a lease and longer. */
  short: number
  long: number
  random: Random
  killNode (): Promise<void>
  /** Called after each change of servers. */
  onServers (): void
  /** Called when the store has moved to other ports. */
  onMove (): void
}

/** Servers shared by all processes of a race. */
export interface Store {
  readonly kind: 'redis' | 'zookeeper'
  /** Current ports. */
  ports (): number[]
  /** Process ids of all running servers. */
  pids (): number[]
  /** Faults of the store: each is injected and healed. */
  faults (tools: FaultTools): Record<string, () => Promise<object | void>>
  /** Records the store's view of nodes, if the nodes cannot. Returns a function that stops it. */
  observe (note: Note): () => void
}
