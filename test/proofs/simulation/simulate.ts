import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { SEED } from '../../support/seed.js'
import type { Test } from 'tap'
import type { StoreName } from './run.js'

/** How long a simulation goes on for: at least so many commands, or so many seconds. */
export type Extent = { commands: number } | { seconds: number }

/** What a simulation is told, and tells in the end. */
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
  /** Virtual seconds after the last fault until all were together, at most. */
  meetingSeconds: number
  /** The shortest plan that breaks an invariant, and where it is. */
  failure?: string
}

/** Lives through random commands, and fails with the shortest list of them that breaks an invariant. */
export async function simulate (t: Test, nodes: number, store: StoreName, extent: Extent): Promise<void> {
  const order: SimulationOrder = {
    nodes, store, extent, seed: SEED, shrinks: process.env.SIMULATION_SHRINKS !== 'no'
  }
  const startedAt = performance.now()
  // Said before, too: a run that hangs has to be found again.
  t.comment(`TEST_SEED=${SEED} ${JSON.stringify(extent)}`)
  // In a thread of its own: tap follows every promise of this one, which takes a third of the time.
  const worker = new Worker(new URL('simulate-worker.ts', import.meta.url), { workerData: order })
  const [report]: [SimulationReport] = await once(worker, 'message') as [SimulationReport]
  await worker.terminate()
  t.comment(`${report.commands} commands in ${report.runs} runs, ` +
    `${Math.round((performance.now() - startedAt) / 1000)} s, ` +
    `all together ${report.meetingSeconds} s after the last fault`)
  if (report.failure !== undefined) throw new Error(report.failure)
  t.ok(report.commands > 0)
}
