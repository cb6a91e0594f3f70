import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { redisOf } from '../store.js'
import { waitFor } from '../wait.js'
import type { Pair } from '../pair.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'

async function endCall (fixture: Fixture): Promise<Pair & { older: string, olderJoinOnly: string }> {
  const pair = await fixture.pair()
  suppose(await fixture.claimed(pair.room) !== undefined, 'the room was not claimed')
  const older = await fixture.sign(pair.room, 'recorder')
  const olderJoinOnly = await fixture.issueJoinOnly(pair.room, 'replayer')
  await fixture.store.endCall(pair.room)
  return { older, olderJoinOnly, ...pair }
}

const areGone = ({ recorder, replayer }: Pair) => recorder.end !== undefined && replayer.end !== undefined

const closes: Rule = {
  id: 'call-ended',
  rule: 'closes a room with 4410 soon after its call ended',
  async check (fixture) {
    const { recorder, replayer } = await endCall(fixture)
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', fixture.settings.beatMs)))
  }
}

const refusesOlder: Rule = {
  id: 'call-ended-older',
  rule: 'refuses signatures issued before the end of the call',
  async check (fixture) {
    const { older, ...pair } = await endCall(fixture)
    suppose(await waitFor(() => areGone(pair), fixture.settings.beatMs) === true, 'the room was not closed')
    const { room } = pair
    const late = fixture.connect(older)
    await waitFor(() => late.end, fixture.settings.answerMs)
    // A signature that took too long has expired.
    await fixture.refused(late, [4410, 4401], 'a client with a signature from before')
    expect((await fixture.store.binding(room))?.state !== 'claimed', 'the room was claimed again')
  }
}

const admitsNewer: Rule = {
  id: 'call-ended-newer',
  rule: 'opens the room again for signatures issued after the end of the call',
  async check (fixture) {
    const { older, ...pair } = await endCall(fixture)
    const { store, settings } = fixture
    suppose(await waitFor(() => areGone(pair), settings.beatMs) === true, 'the room was not closed')
    // Dates of signatures are whole seconds.
    await sleep(1000 - await store.now() % 1000)
    const next = await fixture.pair(pair.room)
    const isThrownOut = await waitFor(() => next.recorder.end ?? next.replayer.end, settings.times.heartbeat)
    expect(isThrownOut === undefined, `the next call's recorder ${fateOf(next.recorder)}`)
  }
}

const refusesBefore: Rule = {
  id: 'call-ended-unopened',
  rule: 'refuses a signature from before the end of the call to a room that it never opened, and does not claim the room',
  async check (fixture) {
    const { store } = fixture
    const room = fixture.room()
    const older = await fixture.sign(room, 'recorder')
    await store.endCall(room)
    const before = await store.binding(room)
    await fixture.refused(fixture.connect(older), [4410], 'a client with a signature from before')
    const after = await store.binding(room)
    expect(after?.text === before?.text, `the binding was ${before?.text}, and is ${after?.text}`)
  }
}

const refusesOlderInside: Rule = {
  id: 'call-ended-reopened',
  rule: 'refuses signatures from before the end of the call, normal and join-only, after the room was opened again',
  async check (fixture) {
    const { store, settings: { beatMs } } = fixture
    const { older, olderJoinOnly, ...pair } = await endCall(fixture)
    suppose(await waitFor(() => areGone(pair), beatMs) === true, 'the room was not closed')
    // Dates of signatures are whole seconds.
    await sleep(1000 - await store.now() % 1000)
    await fixture.pair(pair.room)
    const clients = { 'a normal signature': fixture.connect(older), 'a join-only signature': fixture.connect(olderJoinOnly) }
    // A signature that took too long has expired.
    await checkAll(Object.entries(clients).map(async ([what, client]) =>
      await fixture.refused(client, [4410, 4401], `a client with ${what} from before`)))
  }
}

const saysHeard: Rule = {
  id: 'call-ended-heard',
  store: 'Redis',
  rule: 'acknowledges the end of a call in a heartbeat',
  async check (fixture) {
    const { room } = await endCall(fixture)
    const { settings: { nodeId, beatMs } } = fixture
    const store = redisOf(fixture)
    const hasHeard = await waitFor(async () => !await store.isEndUnheard(nodeId, room), 2 * beatMs)
    expect(hasHeard === true, 'the store repeats the same end, since it is never acknowledged')
  }
}

export const endedCalls: readonly Rule[] = [
  closes, refusesOlder, refusesBefore, admitsNewer, refusesOlderInside, saysHeard
]
