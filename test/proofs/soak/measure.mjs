// Answers what a process of the soak holds, when it is asked to.
import { setTimeout as sleep } from 'node:timers/promises'

/** @param inFlight requests under way */
export function answerMeasures (inFlight = () => 0) {
  process.on('message', async (message) => {
    if (message !== 'measure') return
    // What ends with one collection is freed by the next.
    for (let times = 0; times < 3; times++) {
      globalThis.gc()
      await sleep(20)
    }
    const handles = {}
    for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
    process.send({ heapUsed: process.memoryUsage().heapUsed, handles, inFlight: inFlight() })
  })
}
