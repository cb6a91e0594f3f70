import { setTimeout as sleep } from 'node:timers/promises'
import { hears } from '../pair.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { ofStore } from '../rule.js'
import { redisOf } from '../store.js'
import { waitFor } from '../wait.js'
import { dropLease, returned } from './lapse.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Pair } from '../pair.js'
import type { Plan, Fault } from '../faults.js'

/** Ends the lease of the node while the store settles and has lost bindings: the answer to their claims is `yield`. */
export function dropLeaseAndSettle (environment: Environment): Plan {
  const { times } = environment.settings
  const store = redisOf(environment)
  const { inject } = dropLease(environment)
  return {
    async inject (harm) {
      await Promise.all([store.settle(Math.max(times.lease, times.linger)), inject(harm)])
    },
    heal: store.skipSettling
  }
}

/** Waits until the node has returned and the answer for one of its rooms was `yield`. */
async function yielded (fixture: Fixture, fault: Fault): Promise<Pair> {
  const pair = await fixture.pair()
  suppose(await fixture.claimed(pair.room) !== undefined, 'the room was not claimed')
  const before = await fixture.node()
  await fault.begin({ evicted: [pair.room] })
  await returned(fixture, before)
  return pair
}

/** Milliseconds in which a node that takes `yield` for another word shows it. */
const watchMs = ({ settings: { times } }: Fixture) => 2 * times.heartbeat

const waits: Rule = {
  id: 'yield-waits',
  rule: 'leaves a room behind a shut door to other nodes while the store settles',
  async check (fixture, fault) {
    const { room } = await yielded(fixture, fault)
    const early = await waitFor(async () => await fixture.store.binding(room), watchMs(fixture))
    expect(early === undefined, `it claimed the room while the store settled: the binding is ${early?.text}`)
  }
}

const keepsInside: Rule = {
  id: 'yield-keeps',
  rule: 'disconnects nobody in a room for which the answer is "yield"',
  async check (fixture, fault) {
    const { recorder, replayer } = await yielded(fixture, fault)
    const gone = await waitFor(() => recorder.end ?? replayer.end, watchMs(fixture))
    expect(gone === undefined, `the recorder ${fateOf(recorder)}, the replayer ${fateOf(replayer)}`)
    expect(await hears(fixture, recorder, replayer), 'the two sides no longer hear each other')
  }
}

const triesAgain: Rule = {
  id: 'yield-claims',
  rule: 'claims a room with a later heartbeat after the answer "yield"',
  async check (fixture, fault) {
    const { settings: { beatMs }, store } = fixture
    const { room, recorder } = await yielded(fixture, fault)
    await sleep(watchMs(fixture))
    await fault.end()
    suppose(recorder.end === undefined, 'the room was closed')
    const claim = await fixture.claimed(room, beatMs)
    const seen = (await store.binding(room))?.text ?? 'not there'
    expect(claim !== undefined, `${beatMs} ms after the settling, the binding is ${seen}`)
  }
}

export const yielding = ofStore('Redis', [waits, keepsInside, triesAgain])
