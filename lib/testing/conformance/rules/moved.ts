import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { waitFor } from '../wait.js'
import type { Pair } from '../pair.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'

/** Moves a room away from the node, with clients inside. */
async function moveRoom (fixture: Fixture): Promise<Pair & { older: string }> {
  const pair = await fixture.pair()
  suppose(await fixture.claimed(pair.room) !== undefined, 'the room was not claimed')
  const older = await fixture.sign(pair.room, 'recorder')
  await fixture.store.move(pair.room)
  return Object.assign({ older }, pair)
}

const closes: Rule = {
  id: 'moved',
  rule: 'closes a room with 4410 soon after an operator moved it',
  async check (fixture) {
    const { recorder, replayer } = await moveRoom(fixture)
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', fixture.settings.beatMs)))
  }
}

const givesUp: Rule = {
  id: 'moved-given-up',
  rule: 'says that it gave up a room that an operator moved, and not before it has closed it',
  async check (fixture) {
    const { room, recorder, replayer } = await moveRoom(fixture)
    const { store, settings: { nodeId, beatMs, answerMs } } = fixture
    const hasGivenUp = await waitFor(async () => await store.hasGivenUp(nodeId, room), 2 * beatMs)
    expect(hasGivenUp === true, 'it does not say so, and the room waits for it')
    const isClosed = await waitFor(() => recorder.end !== undefined && replayer.end !== undefined, answerMs)
    expect(isClosed === true, 'it says so, and has the room open')
  }
}

const refusesOlder: Rule = {
  id: 'moved-older',
  rule: 'refuses signatures from before the move, and does not claim the room',
  async check (fixture) {
    const { older, room, recorder, replayer } = await moveRoom(fixture)
    const { store, settings: { beatMs } } = fixture
    const isClosed = await waitFor(() => recorder.end !== undefined && replayer.end !== undefined, beatMs)
    suppose(isClosed === true, 'the room was not closed')
    // A signature that took too long has expired.
    await fixture.refused(fixture.connect(older), [4410, 4401], 'a client with a signature from before')
    expect((await store.binding(room))?.state !== 'claimed', 'the room was claimed again')
  }
}

const refusesUnopened: Rule = {
  id: 'moved-unopened',
  rule: 'refuses signatures from before the move to a room that it never opened, and does not claim the room',
  async check (fixture) {
    const { store } = fixture
    const room = fixture.room()
    const older = await fixture.sign(room, 'recorder')
    await store.move(room)
    await fixture.refused(fixture.connect(older), [4410], 'a client with a signature from before')
    expect((await store.binding(room))?.state !== 'claimed', 'the room was claimed')
  }
}

export const moved: readonly Rule[] = [closes, givesUp, refusesOlder, refusesUnopened]
