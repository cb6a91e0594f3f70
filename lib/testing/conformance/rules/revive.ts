import { hears } from '../pair.js'
import { BrokenRule, expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { redisOf } from '../store.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'
import type { Registration } from '../store.js'

/** Share of a lease after which the runner renews it. */
const RENEW_PART = 4
/** Number of heartbeats after which a node has certainly heard the answer to the first. */
const HEARTBEATS = 2

/** Waits for a heartbeat or a registration of the node, and renews its lease until then. */
async function nextHeartbeat (fixture: Fixture, { id, incarnation, member }: Registration): Promise<Registration> {
  const { times, recoverMs } = fixture.settings
  const store = redisOf(fixture)
  const giveUpAt = performance.now() + recoverMs
  while (performance.now() < giveUpAt) {
    await store.renewLease(member)
    const renewed = await store.registration(id)
    const present = await waitFor(async () => {
      const present = await store.registration(id)
      const isRenewed = present?.leaseEnds !== renewed?.leaseEnds || present?.incarnation !== incarnation
      return isRenewed && present
    }, times.lease / RENEW_PART)
    if (present !== undefined) return present
  }
  throw new BrokenRule('it sent no heartbeat when it reached the store again')
}

const continues: Rule = {
  id: 'cut-continues',
  store: 'Redis',
  rule: 'continues under the old incarnation if its lease expired by its own clocks and not in the store',
  async check (fixture, fault) {
    const { settings: { times } } = fixture
    const store = redisOf(fixture)
    const { room, recorder } = await fixture.pair()
    const before = await fixture.node()
    const begunAt = await fault.begin()
    do await store.renewLease(before.member)
    while (await waitFor(() => performance.now() > begunAt + times.lease, times.lease / RENEW_PART) === undefined)
    suppose(recorder.end === undefined, 'the room was closed')
    await fault.end()
    for (let beats = 0; beats < HEARTBEATS; beats++) {
      const { incarnation } = await nextHeartbeat(fixture, before)
      expect(incarnation === before.incarnation, 'it registered again although the store still had its lease')
    }
    const reloaded = fixture.connect(await fixture.sign(room, 'replayer'))
    expect(await hears(fixture, recorder, reloaded), `a client with a new signature ${fateOf(reloaded)}`)
  }
}

export const revive: readonly Rule[] = [continues]
