import { setTimeout as sleep } from 'node:timers/promises'
import { putTogether, takeApart } from '../forge.js'
import { hears } from '../pair.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { waitFor } from '../wait.js'
import type { Client } from '../client.js'
import type { Rule } from '../rule.js'
import type { Fixture } from '../fixture.js'

/** Parts of the skew after which a used signature that has ended is shown again. */
const PARTS_OF_SKEW = [0.1, 0.5, 0.8]

/** Shows a used signature again. On a slow machine it has expired. */
async function showAgain (fixture: Fixture, { signature }: Client, when: string): Promise<void> {
  await fixture.refused(fixture.connect(signature), [4408, 4401], `a client with a used signature, ${when},`)
}

const afterLeaving: Rule = {
  id: 'once-left',
  rule: 'refuses a used signature after its client has left, and after the room was released',
  async check (fixture) {
    const { settings: { answerMs }, store } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    recorder.leave()
    await waitFor(() => recorder.end, answerMs)
    await showAgain(fixture, recorder, 'whose client has left')
    replayer.leave()
    await waitFor(async () => (await store.binding(room))?.state !== 'claimed', answerMs)
    await showAgain(fixture, replayer, 'whose room was released')
  }
}

const withinSkew: Rule = {
  id: 'once-skew',
  rule: 'refuses a used signature until it expired longer ago than the skew',
  async check (fixture) {
    const { settings: { signing: { ttl, skew }, signText }, store } = fixture
    suppose(skew > 0, 'there is no skew')
    const room = fixture.room()
    const replayer = fixture.connect(await fixture.sign(room, 'replayer'))
    const { header, claims } = takeApart(await fixture.sign(room, 'recorder'))
    const exp = Math.floor(await store.now() / 1000) + 1
    const recorder = fixture.connect(putTogether({ header, claims: { ...claims, iat: exp - ttl, exp } }, signText))
    suppose(await hears(fixture, recorder, replayer), `a client whose signature ends soon ${fateOf(recorder)}`)
    for (const part of PARTS_OF_SKEW) {
      await sleep(Math.max(0, (exp + part * skew) * 1000 - await store.now()))
      await showAgain(fixture, recorder, `${part * skew} s after its end`)
    }
  }
}

const afterRefusal: Rule = {
  id: 'once-refused',
  rule: 'does not count a signature as used if its client was refused',
  async check (fixture) {
    const { settings: { answerMs }, store, rival } = fixture
    const room = fixture.room()
    suppose(await rival.claim(room) === 'ok', 'the rival could not claim a room')
    const ticket = { node: await fixture.node(), issuedAt: await store.now() }
    const refused = fixture.connect(fixture.issue(room, 'recorder', ticket))
    await waitFor(() => refused.end, answerMs)
    suppose(refused.end !== undefined, 'a client of a room that lives elsewhere was not refused')
    await rival.release(room)
    await store.evict(room)
    const replayer = fixture.connect(await fixture.sign(room, 'replayer'))
    const recorder = fixture.connect(refused.signature)
    const isAdmitted = await hears(fixture, recorder, replayer)
    expect(isAdmitted, `a client with a signature that admitted nobody ${fateOf(recorder)}`)
  }
}

export const used: readonly Rule[] = [afterLeaving, withinSkew, afterRefusal]
