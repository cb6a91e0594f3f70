import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { SEED } from '../../support/seed.js'
import type { Test } from 'tap'
import type { StoreName } from './run.js'

/** Extent of a simulation: a minimum of commands, or of seconds. */
export type Extent = { commands: number } | { seconds: number }

/** Input and report of a simulation. */
export interface SimulationOrder {
  nodes: number
  store: StoreName
  extent: Extent
  seed: number
  shrinks: boolean
}

export interface SimulationReport {
  commands: number
  runs: number
  moves: number
  /** Maximum of virtual seconds from the last fault until all clients met. */
  meetingSeconds: number
  /** Shortest plan that breaks an invariant, with its file. */
  failure?: string
}

/** Runs random commands, and fails with the shortest list of them that breaks an invariant. */
export async function simulate (t: Test, nodes: number, store: StoreName, extent: Extent): Promise<void> {
  const order: SimulationOrder = {
    nodes, store, extent, seed: SEED, shrinks: process.env.SIMULATION_SHRINKS !== 'no'
  }
  const startedAt = performance.now()
  // The seed is printed at the start as well, so that a run that hangs can be repeated.
  t.comment(`TEST_SEED=${SEED} ${JSON.stringify(extent)}`)
  // The simulation runs in its own thread, since tap follows every promise in this one, which costs a third of the
  // time.
  const worker = new Worker(new URL('simulate-worker.ts', import.meta.url), { workerData: order })
  const [report]: [SimulationReport] = await once(worker, 'message') as [SimulationReport]
  await worker.terminate()
  t.comment(`${report.commands} commands with ${report.moves} moves in ${report.runs} runs, ` +
    `${Math.round((performance.now() - startedAt) / 1000)} s, ` +
    `all together ${report.meetingSeconds} s after the last fault`)
  if (report.failure !== undefined) throw new Error(report.failure)
  t.ok(report.commands > 0)
  t.ok(report.moves > 0)
}
