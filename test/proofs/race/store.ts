import type { Note } from './history.mjs'
import type { Random } from './random.mjs'

/** What the killer lends to a store. */
export interface FaultTools {
  /** Milliseconds, shorter than a lease and longer. */
  short: number
  long: number
  random: Random
  killNode (): Promise<void>
  /** Told of each change of servers. */
  onServers (): void
  /** The store is behind other ports now. */
  onMove (): void
}

/** The servers that all processes of a race share. */
export interface Store {
  readonly kind: 'redis' | 'zookeeper'
  /** Where it is now. */
  ports (): number[]
  /** Of all servers that run. */
  pids (): number[]
  /** What can happen to it: each does one thing, and undoes it. */
  faults (tools: FaultTools): Record<string, () => Promise<object | void>>
  /** Notes what the store knows of nodes, where the nodes cannot. Returns what ends it. */
  observe (note: Note): () => void
}
