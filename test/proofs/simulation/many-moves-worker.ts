import { parentPort, workerData } from 'node:worker_threads'
import { moveMany } from './many-moves.js'
import type { StoreName } from './run.js'

export interface ManyMovesOrder {
  store: StoreName
  seed: number
  seconds: number
  moves: number
}

export interface ManyMovesReport {
  moves: number
  worlds: number
  /** The first world that broke an invariant. */
  failure?: string
}

// many-moves.long.test.ts starts this worker.
const { store, seed, seconds, moves } = workerData as ManyMovesOrder
const report: ManyMovesReport = { moves: 0, worlds: 0 }
const endsAt = performance.now() + seconds * 1000
while (report.failure === undefined && report.moves < moves && performance.now() < endsAt) {
  const outcome = await moveMany(store, seed + report.worlds)
  report.moves += outcome.moves
  report.worlds++
  if (outcome.broken.length > 0) report.failure = `seed ${seed + report.worlds - 1}: ${outcome.broken.slice(0, 3).join('; ')}`
}
parentPort?.postMessage(report)
