import { MAX_TOLD } from '../../../registry/redis/scripts/prelude.js'
import { expect, suppose } from '../result.js'
import { redisOf } from '../store.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'

/** Enough to tell a node that waits for its next heartbeat from one on a busy machine. */
const ANSWERS = 10
/** A good node on a busy machine needs more than one; no number of them helps one that waits. */
const TRIES = 4

/** Adds ends of calls. @returns the milliseconds from the first acknowledged answer to the last */
async function acknowledgeMany (fixture: Fixture): Promise<number> {
  const { nodeId, times, beatMs } = fixture.settings
  const store = redisOf(fixture)
  await store.endManyCalls(nodeId, ANSWERS)
  const all = await store.unheardEnds(nodeId)
  // Fewer may have expired.
  const hasBegun = await waitFor(async () => await store.unheardEnds(nodeId) <= all - MAX_TOLD, beatMs)
  suppose(hasBegun === true, 'it acknowledges no ends of calls')
  const begunAt = performance.now()
  await waitFor(async () => await store.unheardEnds(nodeId) === 0, ANSWERS * times.heartbeat + beatMs)
  return Math.round(performance.now() - begunAt)
}

const hurries: Rule = {
  id: 'call-ended-many',
  store: 'Redis',
  rule: 'sends the next heartbeat at once after an answer with the ends of 1,000 calls',
  async check (fixture) {
    const { settings: { times: { heartbeat } } } = fixture
    for (let left = TRIES; ; left--) {
      const tookMs = await acknowledgeMany(fixture)
      // One heartbeat begins the time, and another one may have been due.
      if (tookMs < (ANSWERS - 2) * heartbeat) return
      expect(left > 1, `it took ${tookMs} ms for ${ANSWERS} full answers; heartbeats are ${heartbeat} ms apart`)
    }
  }
}

export const manyEnds: readonly Rule[] = [hurries]
