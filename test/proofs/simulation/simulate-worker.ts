import { parentPort, workerData } from 'node:worker_threads'
import fc from '../../support/fast-check.js'
import { reportPlan } from './found-plan.js'
import { planOf, run } from './run.js'
import type { SimulationOrder, SimulationReport } from './simulate.js'

/** Number of runs between two checks of the limit. */
const RUNS = 20

// simulate.ts starts this worker.
const { nodes, store, extent, seed, shrinks } = workerData as SimulationOrder
const report: SimulationReport = { commands: 0, moves: 0, runs: 0, meetingSeconds: 0 }
const startedAt = performance.now()
const isEnough = () => 'commands' in extent
  ? report.commands >= extent.commands
  : performance.now() - startedAt > extent.seconds * 1000

try {
  const plan = planOf(nodes, store)
  for (; !isEnough(); report.runs += RUNS) {
    const property = fc.asyncProperty(plan, async (plan) => {
      const outcome = await run(plan)
      report.commands += outcome.commands
      report.moves += outcome.moves
      report.meetingSeconds = Math.max(report.meetingSeconds, outcome.meetingSeconds ?? 0)
      if (outcome.broken.length > 0) throw new Error(outcome.broken.join('; '))
    })
    const found = await fc.check(property, { seed: seed + report.runs, numRuns: RUNS, endOnFailure: !shrinks })
    if (found.counterexample !== null) throw new Error(reportPlan(found.counterexample[0], found.errorInstance))
  }
} catch (error) {
  report.failure = error instanceof Error ? error.message : String(error)
}
parentPort?.postMessage(report)
