import { hears } from '../pair.js'
import { BrokenRule, expect, suppose } from '../verdict.js'
import { fateOf, isRefused } from '../visitor.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Scene, Stage } from '../stage.js'
import type { Registration } from '../store.js'
import type { Plan } from '../trouble.js'

/** Empties the store, as after a restart. */
export function forgetAll ({ store, rooms }: Scene): Plan {
  return { strike: async () => await store.forget(rooms) }
}

async function nextOf (stage: Stage, epoch: string | null): Promise<Registration | undefined> {
  const { store, settings } = stage
  return await waitFor(async () => {
    const present = await store.registration(settings.nodeId)
    return present !== null && present.isAlive && await store.epoch() !== epoch && present
  }, settings.beatMs)
}

const registersAgain: Rule = {
  id: 'epoch-registers',
  rule: 'registers again as soon as a heartbeat tells it of a new epoch',
  async check (stage, trouble) {
    const before = await stage.store.epoch()
    await trouble.begin()
    const registration = await nextOf(stage, before)
    expect(registration !== undefined, `it has not registered again within ${stage.settings.beatMs} ms`)
  }
}

const claimsAgain: Rule = {
  id: 'epoch-claims',
  rule: 'claims its open rooms in the new epoch',
  async check (stage, trouble) {
    const { store, settings } = stage
    const { room, recorder } = await stage.pair()
    suppose(await stage.claimed(room) !== undefined, 'the room was not claimed')
    const before = await store.epoch()
    await trouble.begin()
    suppose(await nextOf(stage, before) !== undefined, 'the node has not registered again')
    suppose(recorder.end === undefined, 'the room was closed')
    const claim = await stage.claimed(room, settings.beatMs)
    const seen = (await store.binding(room))?.text ?? 'not there'
    expect(claim !== undefined && claim.epoch === await store.epoch(), `the binding is ${seen}`)
  }
}

const keepsInside: Rule = {
  id: 'epoch-keeps',
  rule: 'throws out nobody when a new epoch begins',
  async check (stage, trouble) {
    const pair = await stage.pair()
    const before = await stage.store.epoch()
    await trouble.begin()
    await nextOf(stage, before)
    const gone = await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * stage.settings.times.heartbeat)
    expect(gone === undefined, `the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    expect(await hears(stage, pair.recorder, pair.replayer), 'the two do not hear each other any more')
  }
}

const writesInEpoch: Rule = {
  id: 'epoch-writes',
  rule: 'lets in nobody by a claim of an older epoch',
  async check (stage, trouble) {
    const { store, settings } = stage
    const room = stage.room()
    const [ours, theirs] = [await stage.sign(room, 'recorder'), await stage.sign(room, 'replayer')]
    const before = await store.epoch()
    await trouble.begin()
    const [recorder, replayer] = [stage.knock(ours), stage.knock(theirs)]
    if (await hears(stage, recorder, replayer)) {
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

export const epoch: readonly Rule[] = [registersAgain, claimsAgain, keepsInside, writesInEpoch]
