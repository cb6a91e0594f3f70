import { memberOf } from '../../../registry/nodes/member.js'
import { hears } from '../pair.js'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../verdict.js'
import { fateOf } from '../visitor.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Scene } from '../stage.js'
import type { Plan } from '../trouble.js'

/** Ends the lease early, as after a pause of the node, and gives some of its rooms to the rival at that moment. */
export function dropLease ({ settings: { nodeId }, store, rival }: Scene): Plan {
  return {
    async strike (taken) {
      const present = await store.registration(nodeId)
      suppose(present !== null, 'the node is not registered')
      // All commands are sent at once, so that no heartbeat comes between.
      const dropped = store.dropLease(present.member)
      await Promise.all([dropped, ...taken.map(async (room) => await rival.claim(room))])
    }
  }
}

const registersAnew: Rule = {
  id: 'lapse-registers',
  rule: 'registers under a new incarnation when its lease has ended, and never revives the old one',
  async check (stage, trouble) {
    const before = await stage.node()
    await trouble.begin()
    const after = await stage.successor(before, stage.settings.beatMs)
    if (after !== undefined) return
    const present = await stage.store.registration(before.id)
    expect(false, present?.isAlive === true ? 'the old incarnation lives again' : 'it has not registered again')
  }
}

const claimsAgain: Rule = {
  id: 'lapse-claims',
  rule: 'claims its open rooms for the new incarnation',
  async check (stage, trouble) {
    const { room, recorder } = await stage.pair()
    suppose(await stage.claimed(room) !== undefined, 'the room was not claimed')
    const before = await stage.node()
    await trouble.begin()
    suppose(await stage.successor(before, stage.settings.beatMs) !== undefined, 'the node has no new incarnation')
    suppose(recorder.end === undefined, 'the room was closed')
    const claim = await stage.claimed(room, stage.settings.beatMs)
    expect(claim !== undefined, `the binding is ${(await stage.store.binding(room))?.text}`)
  }
}

const keepsInside: Rule = {
  id: 'lapse-keeps',
  rule: 'throws out nobody when its lease ends and it registers anew',
  async check (stage, trouble) {
    const pair = await stage.pair()
    const before = await stage.node()
    await trouble.begin()
    await stage.successor(before, stage.settings.beatMs)
    const gone = await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * stage.settings.times.heartbeat)
    expect(gone === undefined, `the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    expect(await hears(stage, pair.recorder, pair.replayer), 'the two do not hear each other any more')
  }
}

const closesLost: Rule = {
  id: 'lapse-lost',
  rule: 'closes with 4410 a room that was bound to another node while it had no lease',
  async check (stage, trouble) {
    const { room, recorder, replayer } = await stage.pair()
    suppose(await stage.claimed(room) !== undefined, 'the room was not claimed')
    await trouble.begin([room])
    const { id, incarnation } = stage.rival
    const holder = (await stage.store.binding(room))?.member
    suppose(holder === memberOf({ id, incarnation }), 'the rival could not claim the room')
    await checkAll([recorder, replayer].map(async (side) =>
      await stage.refused(side, [4410], 'somebody inside', stage.settings.beatMs)))
  }
}

const refusesOld: Rule = {
  id: 'lapse-old-signature',
  rule: 'refuses signatures for the incarnation that it had',
  async check (stage, trouble) {
    const old = await stage.sign(stage.room(), 'recorder')
    const before = await stage.node()
    await trouble.begin()
    suppose(await stage.successor(before, stage.settings.beatMs) !== undefined, 'the node has no new incarnation')
    await stage.refused(stage.knock(old), [4401, 4410], 'a client with a signature for the old incarnation')
  }
}

export const lapse: readonly Rule[] = [registersAnew, claimsAgain, keepsInside, closesLost, refusesOld]
