import { hears } from '../pair.js'
import { BrokenRule, expect, suppose } from '../result.js'
import { fateOf, isRefused } from '../client.js'
import { redisOf } from '../store.js'
import { waitFor } from '../wait.js'
import { ofStore } from '../rule.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Registration } from '../store.js'
import type { Plan } from '../faults.js'

/** Empties the store, as after a restart. */
export function forgetAll (environment: Environment): Plan {
  return { inject: async () => await redisOf(environment).forget(environment.rooms) }
}

async function nextOf (fixture: Fixture, epoch: string | null): Promise<Registration | undefined> {
  const { store, settings } = fixture
  return await waitFor(async () => {
    const present = await store.registration(settings.nodeId)
    return present !== null && present.isAlive && await store.epoch() !== epoch && present
  }, settings.beatMs)
}

const registersAgain: Rule = {
  id: 'epoch-registers',
  rule: 'registers the same incarnation again as soon as a heartbeat tells it of a new epoch',
  async check (fixture, fault) {
    const { settings: { beatMs, times } } = fixture
    const [before, { incarnation }] = [await fixture.store.epoch(), await fixture.node()]
    const begunAt = await fault.begin()
    const registration = await nextOf(fixture, before)
    expect(registration !== undefined, `it has not registered again within ${beatMs} ms`)
    if (registration.incarnation === incarnation) return
    const wasValid = performance.now() - begunAt < times.lease - 2 * times.heartbeat
    suppose(wasValid, 'it took so long that its lease may have expired by its own clocks')
    expect(false, 'it took another incarnation although its lease was valid')
  }
}

const claimsAgain: Rule = {
  id: 'epoch-claims',
  rule: 'claims its open rooms in the new epoch, in the call that registers it',
  async check (fixture, fault) {
    const { store } = fixture
    const { room, recorder } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    const before = await store.epoch()
    await fault.begin()
    const registration = await nextOf(fixture, before)
    suppose(registration !== undefined, 'the node has not registered again')
    // One script writes both, so there is no moment between them.
    const binding = await store.binding(room)
    suppose(recorder.end === undefined, 'the room was closed')
    const isClaimed = binding?.state === 'claimed' && binding.member === registration.member
    expect(isClaimed && binding.epoch === await store.epoch(), `the binding is ${binding?.text ?? 'not there'}`)
  }
}

const keepsInside: Rule = {
  id: 'epoch-keeps',
  rule: 'disconnects no client when a new epoch begins',
  async check (fixture, fault) {
    const pair = await fixture.pair()
    const before = await fixture.store.epoch()
    await fault.begin()
    await nextOf(fixture, before)
    const gone = await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * fixture.settings.times.heartbeat)
    expect(gone === undefined, `the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    expect(await hears(fixture, pair.recorder, pair.replayer), 'the two sides no longer hear each other')
  }
}

const writesInEpoch: Rule = {
  id: 'epoch-writes',
  rule: 'admits no client on a claim of an older epoch',
  async check (fixture, fault) {
    const { store, settings } = fixture
    const room = fixture.room()
    const [ours, theirs] = [await fixture.sign(room, 'recorder'), await fixture.sign(room, 'replayer')]
    const before = await store.epoch()
    await fault.begin()
    const [recorder, replayer] = [fixture.connect(ours), fixture.connect(theirs)]
    if (await hears(fixture, recorder, replayer)) {
      const binding = await store.binding(room)
      const isClaimed = binding?.state === 'claimed' && binding.epoch === await store.epoch() && binding.epoch !== before
      expect(isClaimed, `two sides of a room hear each other, and its binding is ${binding?.text ?? 'not there'}`)
      return
    }
    await waitFor(() => recorder.end && replayer.end, settings.answerMs)
    for (const side of [recorder, replayer]) {
      if (side.end !== undefined && !isRefused(side.end, [4401, 4410, 4503])) {
        throw new BrokenRule(`a client that came at once ${fateOf(side)}; expected 4401, 4410 or 4503`)
      }
    }
  }
}

export const epoch = ofStore('Redis', [registersAgain, claimsAgain, keepsInside, writesInEpoch])
