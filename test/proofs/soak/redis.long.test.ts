import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createRandom } from '../race/random.mjs'
import { MAX_HISTORY } from '../../../lib/registry/redis/scripts/prelude.js'
import { newFolderOf, SECONDS } from '../../support/long.js'
import { withoutRedis } from '../../support/redis-server.js'
import { SEED } from '../../support/seed.js'
import { startLoad } from './load.js'
import { bothAreThere, keysOf, startSoaked } from './soaked.js'
import { makeTrouble } from './trouble.js'
import type { Test } from 'tap'
import type { Measure, Soaked } from './soaked.js'

const MIB = 2 ** 20
const ROOMS_AT_ONCE = 8
const ROUNDS = 12
const LEAST_ROUND_MS = 8000
/** Minutes in which caches fill up: knowledge of rooms, ends and signatures is kept for ten at most. */
const WARM_UP_MINUTES = 10
const MOST_MIB_AN_HOUR = 1
/** Growth allowed in a run that is too short to be warm: memory of the engine, and of each room. */
const MOST_BYTES = MIB
const MOST_BYTES_PER_ROOM = 1024
/** Ends of calls are remembered for fifteen minutes, and no key lives longer. */
const LONGEST_LIFE_MINUTES = 16
const RESTING_MS = 3000
const TWO_NODES = { '{cobrowse}:leases': 2, '{cobrowse}:nodes': 2, '{cobrowse}:ids': 2 }

interface Sample {
  minutes: number
  rooms: number
  /** Number of ended calls. */
  ends: number
  gateway: Measure
  node: Measure
}

t.setTimeout(0)
t.test('a deployment on Redis – joins, leaves, ends, drains, cuts and restarts – holds no more memory than before', {
  skip: withoutRedis, timeout: 0
}, async (t) => {
  t.comment(`TEST_SEED=${SEED}, ${SECONDS} s`)
  const soaked = await startSoaked(t)
  await bothAreThere(soaked.redis)
  const samples = await soak(t, soaked)
  const file = join(newFolderOf('soak'), 'samples.json')
  writeFileSync(file, JSON.stringify(samples, null, 2))
  t.comment(`samples: ${file}`)
  for (const part of ['gateway', 'node'] as const) checkPart(t, samples, part)
  await checkKeys(t, soaked, samples)
})

async function checkKeys (t: Test, { redis }: Soaked, samples: Sample[]): Promise<void> {
  const { staying, ending, longest } = await keysOf(redis)
  const {
    '{cobrowse}:meta': _meta, '{cobrowse}:ended': ended = 0, '{cobrowse}:history': history = 0, ...others
  } = staying
  t.strictSame(others, TWO_NODES, 'only the two nodes stay in Redis')
  t.ok(history > 0 && history < 1.1 * MAX_HISTORY, `${history} events of rooms, of about ${MAX_HISTORY} at most`)
  const last = samples.at(-1)
  const forgotten = samples.findLast(({ minutes }) => minutes < (last?.minutes ?? 0) - LONGEST_LIFE_MINUTES)
  const remembered = (last?.ends ?? 0) - (forgotten?.ends ?? 0)
  t.ok(ended <= remembered, `${ended} ends are remembered, of ${remembered} in ${LONGEST_LIFE_MINUTES} minutes`)
  t.ok(longest <= LONGEST_LIFE_MINUTES * 60_000, `${ending} keys expire within ${Math.round(longest / 1000)} s`)
}

async function soak (t: Test, soaked: Soaked): Promise<Sample[]> {
  const random = createRandom(SEED)
  const startedAt = performance.now()
  const endsAt = startedAt + SECONDS * 1000
  const samples: Sample[] = []
  let [rooms, ends] = [0, 0]
  const roundMs = Math.max(LEAST_ROUND_MS, SECONDS * 1000 / ROUNDS)
  while (samples.length < 3 || performance.now() < endsAt) {
    const { token } = await soaked.gateway.ask<{ token: string }>('token')
    const load = startLoad(soaked.url, token, ROOMS_AT_ONCE, random)
    await makeTrouble(soaked, random, performance.now() + roundMs)
    await load.stop()
    rooms += load.counts.rooms ?? 0
    ends += load.counts['ended 0'] ?? 0
    const [node] = soaked.nodes
    if (node === undefined) throw new Error('two nodes were started')
    samples.push({
      minutes: (performance.now() - startedAt) / 60_000,
      rooms,
      ends,
      gateway: await restingMeasure(soaked.gateway),
      node: await restingMeasure(node)
    })
    t.comment(`${rooms} rooms, ${Math.round(samples.at(-1)?.minutes ?? 0)} min: ${JSON.stringify(load.counts)}`)
  }
  return samples
}

const sum = (handles: Record<string, number>) => Object.values(handles).reduce((total, count) => total + count, 0)

/** Connections of the load end a moment after it, so the least of some measures counts. */
async function restingMeasure ({ measure }: { measure (): Promise<Measure> }): Promise<Measure> {
  let least = await measure()
  const endsAt = performance.now() + RESTING_MS
  while (performance.now() < endsAt) {
    const next = await measure()
    if (sum(next.handles) < sum(least.handles) || next.heapUsed < least.heapUsed) least = next
  }
  return least
}

function checkPart (t: Test, samples: Sample[], part: 'gateway' | 'node'): void {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) throw new Error('no samples')
  t.equal(last[part].inFlight, 0, `${part}: places in flight`)
  const { Timeout: _before, ...handlesBefore } = first[part].handles
  const { Timeout: _after, ...handlesAfter } = last[part].handles
  t.strictSame(handlesAfter, handlesBefore, `${part}: handles`)
  const warm = samples.filter(({ minutes }) => minutes > WARM_UP_MINUTES)
  if (warm.length >= 6) {
    const slope = slopeOf(warm.map(({ minutes }) => minutes / 60), warm.map((sample) => sample[part].heapUsed / MIB))
    t.ok(slope < MOST_MIB_AN_HOUR, `${part}: heap grows by ${slope.toFixed(2)} MiB an hour once it is warm`)
  } else {
    const [bytes, rooms] = [last[part].heapUsed - first[part].heapUsed, last.rooms - first.rooms]
    t.ok(bytes < MOST_BYTES + MOST_BYTES_PER_ROOM * rooms, `${part}: heap grows by ${bytes} bytes in ${rooms} rooms`)
  }
}

/** Fits a line by least squares. */
function slopeOf (xs: number[], ys: number[]): number {
  const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length
  const [x, y] = [mean(xs), mean(ys)]
  const covariance = mean(xs.map((value, at) => (value - x) * ((ys[at] ?? 0) - y)))
  return covariance / mean(xs.map((value) => (value - x) ** 2))
}
