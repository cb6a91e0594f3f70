import { setTimeout as sleep } from 'node:timers/promises'
import { freshId } from '../forge.js'
import { hears } from '../pair.js'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'
import type { Pair } from '../pair.js'
import type { RoomKey } from '../../../../types/registry.js'

const SURE_MS = 300

async function expectClaim (fixture: Fixture, room: RoomKey, whose: string): Promise<void> {
  const [{ member }, epoch] = [await fixture.node(), await fixture.store.epoch()]
  const found = await fixture.store.binding(room)
  const seen = found === null ? 'there is none' : `it is ${JSON.stringify(found.text)}`
  expect(found?.state === 'claimed' && found.member === member && found.epoch === epoch,
    `expected the binding of ${whose} to be claimed by ${member}${epoch === null ? '' : ` in epoch ${epoch}`}; ${seen}`)
}

const claims: Rule = {
  id: 'claims',
  rule: 'claims the room in the store, in its epoch, before it relays anything in it',
  async check (fixture) {
    const { room } = await fixture.pair()
    await expectClaim(fixture, room, 'a room where somebody is')
  }
}

const roomKey: Rule = {
  id: 'room-key',
  rule: 'makes the key of a room from the lengths in bytes and the UTF-8 of tenant and room',
  async check (fixture) {
    const { room } = await fixture.pair(fixture.room('Müller & 東京 🔑'))
    await expectClaim(fixture, room, 'a room whose tenant is not ASCII')
  }
}

const elsewhere: Rule = {
  id: 'elsewhere',
  rule: 'refuses a room that is bound to another live node, and leaves the binding as it is',
  async check (fixture) {
    const { store, rival } = fixture
    const room = fixture.room()
    suppose(await rival.claim(room) === 'ok', 'the rival could not claim a room')
    const before = await store.binding(room)
    const ticket = { node: await fixture.node(), issuedAt: await store.now() }
    await fixture.refused(fixture.connect(fixture.issue(room, 'recorder', ticket)), [4410], 'a client of a room that lives elsewhere')
    const after = await store.binding(room)
    expect(after?.text === before?.text, `the binding was ${before?.text}, and is ${after?.text}`)
  }
}

/** What a node passes for a claim: longer than any lease. */
const CLAIM_MS = 90_000

const lasts: Rule = {
  id: 'claim-lasts',
  store: 'Redis',
  rule: 'claims a room for 90 s, so that no open room loses its binding between two claims',
  async check (fixture) {
    const { settings: { answerMs }, store } = fixture
    const { room } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    const lasts = await store.bindingLasts(room)
    expect(lasts >= CLAIM_MS - answerMs, `the binding lasts ${lasts} ms; expected ${CLAIM_MS}`)
  }
}

const keepsClaim: Rule = {
  id: 'occupied',
  rule: 'keeps the claim of a room while somebody is inside, whoever else leaves or is refused',
  async check (fixture) {
    const { settings: { times }, store } = fixture
    const changes: Record<string, (pair: Pair) => void> = {
      'the replayer left': ({ replayer }) => replayer.leave(),
      'the recorder left': ({ recorder }) => recorder.leave(),
      'a client was refused': ({ recorder }) => { fixture.connect(recorder.signature) }
    }
    await checkAll(Object.entries(changes).map(async ([what, change]) => {
      const pair = await fixture.pair()
      suppose(await fixture.claimed(pair.room) !== undefined, 'the room was not claimed')
      change(pair)
      const freed = await waitFor(async () => {
        const found = await store.binding(pair.room)
        return found?.state !== 'claimed' && { text: found?.text ?? 'not there' }
      }, 2 * times.heartbeat)
      expect(freed === undefined, `somebody was still inside when ${what}, and the binding is ${freed?.text}`)
    }))
  }
}

const releases: Rule = {
  id: 'releases',
  rule: 'releases the binding when the last client has left, and never deletes it',
  async check (fixture) {
    const { settings: { answerMs, times }, store } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    const claim = await fixture.claimed(room)
    suppose(claim !== undefined, 'the room was not claimed')
    const leftAt = performance.now()
    for (const side of [recorder, replayer]) side.leave()
    const released = await waitFor(async () => {
      const found = await store.binding(room)
      return found?.state !== 'claimed' && { found }
    }, answerMs)
    expect(released !== undefined, `the room is still claimed ${answerMs} ms after the last client left`)
    const { found } = released
    expect(found !== null, 'the binding was deleted')
    expect(found.state === 'released' && found.member === claim.member, `the binding is ${found.text}`)
    await sleep(SURE_MS)
    expect(await store.binding(room) !== null, 'the binding was deleted')
    const lasts = await store.bindingLasts(room)
    const expected = times.linger + times.lease - Math.ceil(performance.now() - leftAt)
    expect(lasts >= expected, `the binding lasts ${lasts} ms; expected ${expected} at least`)
  }
}

const reopens: Rule = {
  id: 'reopens',
  rule: 'claims a released room again, with a higher number, when a client returns',
  async check (fixture) {
    const { settings: { answerMs }, store } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    for (const side of [recorder, replayer]) side.leave()
    const isFree = await waitFor(async () => (await store.binding(room))?.state !== 'claimed', answerMs)
    suppose(isFree === true, 'the room was not released')
    await fixture.pair(room)
    await expectClaim(fixture, room, 'the room')
  }
}

const tenants: Rule = {
  id: 'tenants',
  rule: 'keeps rooms with the same id in two tenants apart',
  async check (fixture) {
    const id = freshId()
    const couples = [[['one', id], ['two', id]], [['a', `b:${id}`], ['a:b', id]]] as const
    await checkAll(couples.map(async ([[tenant, room], [otherTenant, otherRoom]]) => {
      const ours = await fixture.pair(fixture.room(tenant, room))
      const theirs = await fixture.pair(fixture.room(otherTenant, otherRoom))
      const mark = `cobrowse-check-${freshId()}`
      ours.recorder.say(fixture.settings.message(mark))
      expect(await waitFor(() => ours.replayer.hasHeard(mark), fixture.settings.answerMs) === true, 'a message was lost')
      const leak = await waitFor(() => theirs.replayer.hasHeard(mark), SURE_MS)
      expect(leak === undefined, `room "${room}" of tenant "${tenant}" is heard in "${otherRoom}" of "${otherTenant}"`)
      expect(await hears(fixture, theirs.recorder, theirs.replayer), 'the second room was closed')
    }))
  }
}

export const rooms: readonly Rule[] = [claims, lasts, roomKey, elsewhere, keepsClaim, releases, reopens, tenants]
