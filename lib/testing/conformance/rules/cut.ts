import { hears } from '../pair.js'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../verdict.js'
import { fateOf } from '../visitor.js'
import { sleepUntil, waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Scene, Stage } from '../stage.js'
import type { Plan } from '../trouble.js'

/** Margin after the moment at which a node has to know that its lease expired. */
const MOMENT_MS = 50

/** Cuts the node alone from the store for a while. */
export function cutOff ({ settings: { cut, heal } }: Scene): Plan {
  return {
    strike: async () => await cut?.(),
    lift: async () => await heal?.()
  }
}

/** Moment at which the node's lease has certainly expired, by its own clocks. */
const endOfLease = ({ settings: { times } }: Stage, cutAt: number) => cutAt + times.lease + MOMENT_MS

/** Whether the lease has expired in the store. */
async function leaseIsGone (stage: Stage): Promise<boolean> {
  const { store, settings } = stage
  return await waitFor(async () =>
    (await store.registration(settings.nodeId))?.isAlive !== true, settings.recoverMs) === true
}

const refusesUnanswered: Rule = {
  id: 'cut-unanswered',
  rule: 'lets nobody into a room whose claim the store has not answered',
  async check (stage, trouble) {
    const { settings: { times, answerMs } } = stage
    await trouble.begin()
    const room = stage.room()
    const [ours, theirs] = [await stage.sign(room, 'recorder'), await stage.sign(room, 'replayer')]
    const [recorder, replayer] = [stage.knock(ours), stage.knock(theirs)]
    expect(!await hears(stage, recorder, replayer), 'the two sides of a room hear each other, which was not claimed')
    await checkAll([recorder, replayer].map(async (side) =>
      await stage.refused(side, [4503, 4410], 'a client of a room that was not claimed', times.lease + answerMs)))
  }
}

const refusesNormal: Rule = {
  id: 'cut-refuses',
  rule: 'lets in nobody by a normal signature once its lease has ended by its own clocks',
  async check (stage, trouble) {
    const node = await stage.node()
    const { room } = await stage.pair()
    const begunAt = await trouble.begin()
    await sleepUntil(endOfLease(stage, begunAt))
    const issuedAt = await stage.store.now()
    await checkAll([room, stage.room()].map(async (key) => await stage.refused(
      stage.knock(stage.issue(key, 'replayer', { node, issuedAt })), [4410, 4503],
      key === room ? 'a client of a room that is open' : 'a client of a new room'
    )))
  }
}

const keepsPair: Rule = {
  id: 'cut-keeps',
  rule: 'throws out nobody who has the other side with them, while it is cut off and afterwards',
  async check (stage, trouble) {
    const { settings: { patience, times } } = stage
    const pair = await stage.pair()
    const isTogether = async () => await hears(stage, pair.recorder, pair.replayer)
    const before = await stage.node()
    const begunAt = await trouble.begin()
    await sleepUntil(endOfLease(stage, begunAt) + patience + 2 * times.heartbeat)
    expect(await isTogether(), `cut off, the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
    await trouble.end()
    await stage.successor(before, stage.settings.recoverMs)
    await waitFor(() => pair.recorder.end ?? pair.replayer.end, 2 * times.heartbeat)
    expect(await isTogether(), `back, the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`)
  }
}

const sendsLoneAway: Rule = {
  id: 'cut-lone',
  rule: 'sends away with 4410 who waits alone behind a shut door',
  async check (stage, trouble) {
    const { settings: { patience, times, answerMs } } = stage
    const { recorder, replayer } = await stage.pair()
    replayer.leave()
    await waitFor(() => replayer.end, answerMs)
    await trouble.begin()
    await stage.refused(recorder, [4410], 'a client alone in its room', times.lease + patience + answerMs)
  }
}

const letsJoin: Rule = {
  id: 'cut-join-only',
  rule: 'lets a join-only signature into a room where somebody is, while its lease has ended',
  async check (stage, trouble) {
    const { room, recorder, replayer } = await stage.pair()
    const begunAt = await trouble.begin()
    await sleepUntil(endOfLease(stage, begunAt))
    suppose(recorder.end === undefined && replayer.end === undefined, 'the room was closed before')
    const reloaded = stage.knock(await stage.issueJoinOnly(room, 'replayer'))
    expect(await hears(stage, recorder, reloaded), `a page that came back ${fateOf(reloaded)}`)
  }
}

const returns: Rule = {
  id: 'cut-returns',
  rule: 'comes back by itself when it reaches the store again, under a new incarnation, with its open rooms',
  async check (stage, trouble) {
    const { room, recorder } = await stage.pair()
    const wasClaimed = await stage.claimed(room) !== undefined
    const before = await stage.node()
    await trouble.begin()
    suppose(await leaseIsGone(stage), 'the node was not cut off: its lease goes on')
    await trouble.end()
    const present = async () => (await stage.store.registration(before.id))?.isAlive === true
    if (await stage.successor(before, stage.settings.recoverMs) === undefined) {
      expect(false, await present() ? 'the old incarnation lives again' : 'it has not registered again')
    }
    if (!wasClaimed || recorder.end !== undefined) return
    const claim = await stage.claimed(room, stage.settings.beatMs)
    expect(claim !== undefined, `the binding is ${(await stage.store.binding(room))?.text ?? 'not there'}`)
  }
}

const closesLost: Rule = {
  id: 'cut-lost',
  rule: 'closes with 4410, once it is back, a room that was bound to another node meanwhile',
  async check (stage, trouble) {
    const { settings, rival } = stage
    const { room, recorder, replayer } = await stage.pair()
    suppose(await stage.claimed(room) !== undefined, 'the room was not claimed')
    await trouble.begin()
    suppose(await leaseIsGone(stage), 'the node was not cut off: its lease goes on')
    suppose(await waitFor(async () => await rival.claim(room) === 'ok', settings.answerMs, 100) === true,
      'the rival could not claim the room')
    await trouble.end()
    await checkAll([recorder, replayer].map(async (side) =>
      await stage.refused(side, [4410], 'somebody inside', settings.recoverMs)))
  }
}

export const cut: readonly Rule[] =
  [refusesUnanswered, refusesNormal, keepsPair, sendsLoneAway, letsJoin, returns, closesLost]
