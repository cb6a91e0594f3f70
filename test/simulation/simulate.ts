import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Test } from 'tap'
import type { StoreName } from './run.js'

const SEED = Number(process.env.SIMULATION_SEED ?? Date.now() % 2 ** 31)
/** Each step on ZooKeeper is several messages, and takes so much longer. */
const DEFAULT_COMMANDS = { redis: 100_000, zookeeper: 20_000 }

/** What a simulation is told, and tells in the end. */
export interface SimulationOrder {
  nodes: number
  store: StoreName
  /** At least so many. */
  commands: number
  seed: number
  shrinks: boolean
}

export interface SimulationReport {
  commands: number
  runs: number
  /** Virtual seconds after the last fault until all were together, at most. */
  meetingSeconds: number
  /** Of fast-check, with the shortest list of commands that breaks an invariant. */
  failure?: string
}

/** Lives through so many random commands, and fails with the shortest list of them that breaks an invariant. */
export async function simulate (t: Test, nodes: number, store: StoreName = 'redis'): Promise<void> {
  const commands = Number(process.env.SIMULATION_COMMANDS ?? DEFAULT_COMMANDS[store])
  const order: SimulationOrder = {
    nodes, store, commands, seed: SEED, shrinks: process.env.SIMULATION_SHRINKS !== 'no'
  }
  const startedAt = performance.now()
  // Said before, too: a run that hangs has to be found again.
  t.comment(`at least ${commands} commands, from SIMULATION_SEED=${SEED} on`)
  // In a thread of its own: tap follows every promise of this one, which takes a third of the time.
  const worker = new Worker(new URL('simulate-worker.ts', import.meta.url), { workerData: order })
  const [report]: [SimulationReport] = await once(worker, 'message') as [SimulationReport]
  await worker.terminate()
  t.comment(`${report.commands} commands in ${report.runs} runs, ` +
    `${Math.round((performance.now() - startedAt) / 1000)} s, ` +
    `all together ${report.meetingSeconds} s after the last fault`)
  if (report.failure !== undefined) throw new Error(report.failure)
  t.ok(report.commands >= commands)
}
