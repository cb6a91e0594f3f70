// Answers with the memory and handles of a process of the soak, on demand.
import { setTimeout as sleep } from 'node:timers/promises'

/** @param inFlight pending requests */
export function answerMeasures (inFlight = () => 0) {
  process.on('message', async (message) => {
    if (message !== 'measure') return
    // Objects released by one collection are freed by the next.
    for (let times = 0; times < 3; times++) {
      globalThis.gc()
      await sleep(20)
    }
    const handles = {}
    for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
    process.send({ heapUsed: process.memoryUsage().heapUsed, handles, inFlight: inFlight() })
  })
}
