import { checkAll, ofStore } from '../rule.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'
import type { Pair } from '../pair.js'
import type { RoomKey } from '../../../../types/registry.js'

/** For a Redis that evicts nothing, the contract allows 30 s: five leases. */
const ROUND_LEASES = 5

/** Milliseconds in which a node has claimed each open room once more. */
const roundMs = ({ settings: { times, beatMs } }: Fixture) => ROUND_LEASES * times.lease + beatMs

/** @throws BrokenRule unless the node replaces a binding that was evicted */
export async function expectClaimInTurn (fixture: Fixture, room: RoomKey): Promise<void> {
  await fixture.store.evict(room)
  const claim = await fixture.claimed(room, roundMs(fixture))
  expect(claim !== undefined, `an evicted binding is not back after ${roundMs(fixture)} ms`)
}

async function claimedPair (fixture: Fixture): Promise<Pair> {
  const pair = await fixture.pair()
  suppose(await fixture.claimed(pair.room) !== undefined, 'the room was not claimed')
  return pair
}

async function expectClosed (fixture: Fixture, { recorder, replayer }: Pair): Promise<void> {
  await checkAll([recorder, replayer].map(async (side) =>
    await fixture.refused(side, [4410], 'somebody inside', roundMs(fixture))))
}

const claimsInTurn: Rule = {
  id: 'claims-in-turn',
  rule: 'claims its open rooms again, in turn',
  async check (fixture) {
    const { room } = await claimedPair(fixture)
    await expectClaimInTurn(fixture, room)
  }
}

const closesLost: Rule = {
  id: 'claims-in-turn-elsewhere',
  rule: 'closes with 4410 an open room if the answer to its claim in turn is "elsewhere"',
  async check (fixture) {
    const { store, rival } = fixture
    const pair = await claimedPair(fixture)
    // Both are sent at once, so that no claim of the node comes between.
    const [, claim] = await Promise.all([store.evict(pair.room), rival.claim(pair.room)])
    suppose(claim === 'ok', 'the rival could not claim the room')
    await expectClosed(fixture, pair)
  }
}

const closesEnded: Rule = {
  id: 'claims-in-turn-ended',
  rule: 'closes with 4410 an open room if the answer to its claim in turn is "ended"',
  async check (fixture) {
    const { store } = fixture
    const pair = await claimedPair(fixture)
    // Without its binding, only the answer to a claim tells the node.
    await Promise.all([store.evict(pair.room), store.endCall(pair.room)])
    await expectClosed(fixture, pair)
  }
}

const repairs: Rule = {
  id: 'unreadable-open',
  rule: 'replaces the unreadable binding of an open room, and disconnects nobody',
  async check (fixture) {
    const { store } = fixture
    const { room, recorder, replayer } = await claimedPair(fixture)
    await store.spoil(room)
    const isRepaired = await waitFor(async () => {
      const found = await store.binding(room)
      // The store deletes an unreadable binding after the linger.
      if (found === null) await store.spoil(room)
      return found?.state === 'claimed'
    }, roundMs(fixture))
    expect(isRepaired === true, `it did not replace the binding within ${roundMs(fixture)} ms`)
    const isInside = recorder.end === undefined && replayer.end === undefined
    expect(isInside, `the recorder ${fateOf(recorder)}, the replayer ${fateOf(replayer)}`)
  }
}

const refusesUnreadable: Rule = {
  id: 'unreadable',
  rule: 'refuses with 4503 a client of a room whose binding is unreadable, and leaves the binding as it is',
  async check (fixture) {
    const { store } = fixture
    const room = fixture.room()
    await store.spoil(room)
    const before = await store.binding(room)
    const ticket = { node: await fixture.node(), issuedAt: await store.now() }
    await fixture.refused(fixture.connect(fixture.issue(room, 'recorder', ticket)), [4503], 'a client')
    const after = await store.binding(room)
    expect(after?.text === before?.text, `the binding was ${before?.text}, and is ${after?.text}`)
  }
}

export const turns: readonly Rule[] = [
  ...ofStore('Redis', [claimsInTurn, closesLost, closesEnded, repairs]), refusesUnreadable
]
