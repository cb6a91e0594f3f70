import { hears } from '../pair.js'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { sleepUntil, waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Plan } from '../faults.js'

/** Margin after the moment at which a node has to know that its lease expired. */
const MOMENT_MS = 50

/** Cuts the node alone from the store for a while. */
export function cutOff ({ settings: { cut, heal } }: Environment): Plan {
  return {
    inject: async () => await cut?.(),
    heal: async () => await heal?.()
  }
}

/** Moment at which the node's lease has certainly expired, by its own clocks. */
const endOfLease = ({ settings: { times } }: Fixture, cutAt: number) => cutAt + times.lease + MOMENT_MS

/** Whether the lease has expired in the store. */
async function leaseIsGone (fixture: Fixture): Promise<boolean> {
  const { store, settings } = fixture
  return await waitFor(async () =>
    (await store.registration(settings.nodeId))?.isAlive !== true, settings.recoverMs) === true
}

const refusesUnanswered: Rule = {
  id: 'cut-unanswered',
  rule: 'admits no client to a room before the store has answered the claim',
  async check (fixture, fault) {
    const { settings: { times, answerMs } } = fixture
    await fault.begin()
    const room = fixture.room()
    const [ours, theirs] = [await fixture.sign(room, 'recorder'), await fixture.sign(room, 'replayer')]
    const [recorder, replayer] = [fixture.connect(ours), fixture.connect(theirs)]
    expect(!await hears(fixture, recorder, replayer), 'the two sides of an unclaimed room hear each other')
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4503, 4410], 'a client of a room that was not claimed', times.lease + answerMs)))
  }
}

const refusesNormal: Rule = {
  id: 'cut-refuses',
  rule: 'admits no client with a normal signature after its lease expired by its own clocks',
  async check (fixture, fault) {
    const node = await fixture.node()
    const { room } = await fixture.pair()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt))
    const issuedAt = await fixture.store.now()
    await checkAll([room, fixture.room()].map(async (key) => await fixture.refused(
      fixture.connect(fixture.issue(key, 'replayer', { node, issuedAt })), [4410, 4503],
      key === room ? 'a client of a room that is open' : 'a client of a new room'
    )))
  }
}

const keepsPair: Rule = {
  id: 'cut-keeps',
  rule: 'disconnects no client whose other side is connected, while it is cut off and afterwards',
  async check (fixture, fault) {
    const { settings: { patience, times } } = fixture
    const pair = await fixture.pair()
    const isTogether = async () => await hears(fixture, pair.recorder, pair.replayer)
    const before = await fixture.node()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt) + patience + 2 * times.heartbeat)
    expect(await isTogether(), `cut off, the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    await fault.end()
    await fixture.successor(before, fixture.settings.recoverMs)
    await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * times.heartbeat)
    expect(await isTogether(), `back, the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
  }
}

const sendsLoneAway: Rule = {
  id: 'cut-lone',
  rule: 'closes with 4410 a client that waits alone behind a shut door',
  async check (fixture, fault) {
    const { settings: { patience, times, answerMs } } = fixture
    const { recorder, replayer } = await fixture.pair()
    replayer.leave()
    await waitFor(() => replayer.end, answerMs)
    await fault.begin()
    await fixture.refused(recorder, [4410], 'a client alone in its room', times.lease + patience + answerMs)
  }
}

const letsJoin: Rule = {
  id: 'cut-join-only',
  rule: 'admits a join-only signature to an occupied room while its lease is expired',
  async check (fixture, fault) {
    const { room, recorder, replayer } = await fixture.pair()
    const begunAt = await fault.begin()
    await sleepUntil(endOfLease(fixture, begunAt))
    suppose(recorder.end === undefined && replayer.end === undefined, 'the room was closed before')
    const reloaded = fixture.connect(await fixture.issueJoinOnly(room, 'replayer'))
    expect(await hears(fixture, recorder, reloaded), `a page that came back ${fateOf(reloaded)}`)
  }
}

const returns: Rule = {
  id: 'cut-returns',
  rule: 'registers again under a new incarnation, with its open rooms, when it reaches the store again',
  async check (fixture, fault) {
    const { room, recorder } = await fixture.pair()
    const wasClaimed = await fixture.claimed(room) !== undefined
    const before = await fixture.node()
    await fault.begin()
    suppose(await leaseIsGone(fixture), 'the node was not cut off: its lease goes on')
    await fault.end()
    const present = async () => (await fixture.store.registration(before.id))?.isAlive === true
    if (await fixture.successor(before, fixture.settings.recoverMs) === undefined) {
      expect(false, await present() ? 'the old incarnation was revived' : 'it has not registered again')
    }
    if (!wasClaimed || recorder.end !== undefined) return
    const claim = await fixture.claimed(room, fixture.settings.beatMs)
    expect(claim !== undefined, `the binding is ${(await fixture.store.binding(room))?.text ?? 'not there'}`)
  }
}

const closesLost: Rule = {
  id: 'cut-lost',
  rule: 'closes with 4410, once it is back, a room that was bound to another node in the meantime',
  async check (fixture, fault) {
    const { settings, rival } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    await fault.begin()
    suppose(await leaseIsGone(fixture), 'the node was not cut off: its lease goes on')
    suppose(await waitFor(async () => await rival.claim(room) === 'ok', settings.answerMs, 100) === true,
      'the rival could not claim the room')
    await fault.end()
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', settings.recoverMs)))
  }
}

export const cut: readonly Rule[] =
  [refusesUnanswered, refusesNormal, keepsPair, sendsLoneAway, letsJoin, returns, closesLost]
