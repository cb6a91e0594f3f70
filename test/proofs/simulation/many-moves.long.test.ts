import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { SECONDS } from '../../support/long.js'
import { SEED } from '../../support/seed.js'
import type { ManyMovesReport } from './many-moves-worker.js'

// A million moves take an hour of one core on Redis, some 300 a second, mostly in Lua, and nine on ZooKeeper.
//
//   TEST_SECONDS=14400 npx tap --timeout=0 test/proofs/simulation/many-moves.long.test.ts
const MOVES = 1_000_000

t.setTimeout(0)
for (const store of ['redis', 'zookeeper'] as const) {
  t.test(`four nodes on ${store} – all rooms moved, random faults – a room is on one node at a time`, async (t) => {
    t.comment(`TEST_SEED=${SEED}`)
    const startedAt = performance.now()
    const worker = new Worker(new URL('many-moves-worker.ts', import.meta.url), {
      workerData: { store, seed: SEED, seconds: SECONDS / 2, moves: MOVES / 2 }
    })
    const [report]: [ManyMovesReport] = await once(worker, 'message') as [ManyMovesReport]
    await worker.terminate()
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    t.comment(`${report.moves} moves in ${report.worlds} worlds, ${seconds} s`)
    if (report.failure !== undefined) throw new Error(report.failure)
    t.ok(report.moves > 0)
  })
}
