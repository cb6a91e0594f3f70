import { setTimeout as sleep } from 'node:timers/promises'
import { memberOf } from '../../../registry/nodes/member.js'
import { hears } from '../pair.js'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { waitFor } from '../wait.js'
import { expectClaimInTurn } from './turns.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Registration } from '../store.js'
import type { Plan } from '../faults.js'

/** Clients of a room that has just been claimed again, for a node that is slow to read the answer. */
const OPEN_TRIES = 3

/** Ends the lease early, as after a pause of the node, and harms some of its rooms at that moment. */
export function dropLease ({ settings: { nodeId }, store, rival }: Environment): Plan {
  return {
    async inject (harm) {
      const present = await store.registration(nodeId)
      suppose(present !== null, 'the node is not registered')
      await store.dropLease(present.member, { rival, ...harm })
    }
  }
}

/** @throws NotChecked unless the node registers again */
export async function returned (fixture: Fixture, before: Registration): Promise<Registration> {
  const after = await fixture.successor(before, fixture.settings.beatMs)
  suppose(after !== undefined, 'the node has no new incarnation')
  return after
}

const registersAnew: Rule = {
  id: 'lapse-registers',
  rule: 'registers under a new incarnation after its lease expired, and never revives the old one',
  async check (fixture, fault) {
    const before = await fixture.node()
    await fault.begin()
    const after = await fixture.successor(before, fixture.settings.beatMs)
    if (after !== undefined) return
    const present = await fixture.store.registration(before.id)
    const isRevived = present?.isAlive === true && present.incarnation === before.incarnation
    expect(false, isRevived ? 'the old incarnation was revived' : 'it has not registered again')
  }
}

const claimsAgain: Rule = {
  id: 'lapse-claims',
  rule: 'claims its open rooms for the new incarnation, in the call that registers it',
  async check (fixture, fault) {
    const { room, recorder } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    const before = await fixture.node()
    await fault.begin()
    const { member } = await returned(fixture, before)
    // The store writes both in one step, so there is no moment between them.
    const binding = await fixture.store.binding(room)
    suppose(recorder.end === undefined, 'the room was closed')
    expect(binding?.state === 'claimed' && binding.member === member, `the binding is ${binding?.text ?? 'not there'}`)
  }
}

const opensAgain: Rule = {
  id: 'lapse-opens',
  rule: 'admits clients with normal signatures to its open rooms as soon as it has claimed them again',
  async check (fixture, fault) {
    const { room, recorder } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    const before = await fixture.node()
    await fault.begin()
    await returned(fixture, before)
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed again')
    suppose(recorder.end === undefined, 'the room was closed')
    for (let left = OPEN_TRIES; ; left--) {
      const reloaded = fixture.connect(await fixture.sign(room, 'replayer'))
      if (await hears(fixture, recorder, reloaded)) return
      // The node may not have read the store's answer yet, and does not know its new incarnation.
      const isEarly = reloaded.end?.code === 4401 && left > 1
      expect(isEarly, `a client with a new signature ${fateOf(reloaded)}`)
      await sleep(fixture.settings.times.heartbeat / 2)
    }
  }
}

const claimsInTurn: Rule = {
  id: 'lapse-claims-in-turn',
  store: 'Redis',
  rule: 'goes on to claim its open rooms in turn after it registered again',
  async check (fixture, fault) {
    const { room } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    const before = await fixture.node()
    await fault.begin()
    await returned(fixture, before)
    suppose(await fixture.claimed(room, fixture.settings.beatMs) !== undefined, 'the room was not claimed again')
    await expectClaimInTurn(fixture, room)
  }
}

const closesEnded: Rule = {
  id: 'lapse-ended',
  rule: 'closes with 4410 a room whose call ended while it had no lease',
  async check (fixture, fault) {
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    await fault.begin({ ended: [room] })
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', fixture.settings.beatMs)))
  }
}

const keepsInside: Rule = {
  id: 'lapse-keeps',
  rule: 'disconnects no client when its lease expires and it registers again',
  async check (fixture, fault) {
    const pair = await fixture.pair()
    const before = await fixture.node()
    await fault.begin()
    await fixture.successor(before, fixture.settings.beatMs)
    const gone = await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * fixture.settings.times.heartbeat)
    expect(gone === undefined, `the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    expect(await hears(fixture, pair.recorder, pair.replayer), 'the two sides no longer hear each other')
  }
}

const closesLost: Rule = {
  id: 'lapse-lost',
  rule: 'closes with 4410 a room that was bound to another node while it had no lease',
  async check (fixture, fault) {
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    await fault.begin({ taken: [room] })
    const { id, incarnation } = fixture.rival
    const holder = (await fixture.store.binding(room))?.member
    suppose(holder === memberOf({ id, incarnation }), 'the rival could not claim the room')
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', fixture.settings.beatMs)))
  }
}

const refusesOld: Rule = {
  id: 'lapse-old-signature',
  rule: 'refuses signatures for its earlier incarnation',
  async check (fixture, fault) {
    const old = await fixture.sign(fixture.room(), 'recorder')
    const before = await fixture.node()
    await fault.begin()
    await returned(fixture, before)
    await fixture.refused(fixture.connect(old), [4401, 4410], 'a client with a signature for the old incarnation')
  }
}

const claimsNothing: Rule = {
  id: 'lapse-unregistered',
  store: 'ZooKeeper',
  rule: 'claims no room for an incarnation whose znode is gone, and admits nobody to it',
  async check (fixture, fault) {
    const { member } = await fixture.node()
    const room = fixture.room()
    const [ours, theirs] = [await fixture.sign(room, 'recorder'), await fixture.sign(room, 'replayer')]
    await fault.begin()
    const [recorder, replayer] = [fixture.connect(ours), fixture.connect(theirs)]
    const areTogether = await hears(fixture, recorder, replayer)
    expect(!areTogether, 'the two sides of a room hear each other, although the node was not registered')
    const binding = await fixture.store.binding(room)
    expect(binding?.state !== 'claimed' || binding.member !== member, `the binding is ${binding?.text}`)
  }
}

export const lapse: readonly Rule[] = [
  registersAnew, claimsAgain, opensAgain, claimsInTurn, keepsInside, closesLost, closesEnded, refusesOld,
  claimsNothing
]
