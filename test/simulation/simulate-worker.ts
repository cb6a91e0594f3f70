import { parentPort, workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { reportPlan } from './found-plan.js'
import { planOf, run } from './run.js'
import type { SimulationOrder, SimulationReport } from './simulate.js'

const RUNS = 50

// Of simulate.ts.
const { nodes, store, commands, seed, shrinks } = workerData as SimulationOrder
const report: SimulationReport = { commands: 0, runs: 0, meetingSeconds: 0 }
try {
  const plan = planOf(nodes, store)
  for (; report.commands < commands; report.runs += RUNS) {
    const property = fc.asyncProperty(plan, async (plan) => {
      const outcome = await run(plan)
      report.commands += outcome.commands
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
