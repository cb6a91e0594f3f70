import { setTimeout as sleep } from 'node:timers/promises'
import { putTogether, takeApart } from '../forge.js'
import { hears } from '../pair.js'
import { expect } from '../result.js'
import { fateOf, isRefused } from '../client.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'

const TRIES = 5

const withinSkew: Rule = {
  id: 'signature-skew',
  rule: 'accepts a signature that expired less than the skew ago',
  async check (fixture) {
    const { settings: { signing: { ttl, skew }, signText }, store } = fixture
    for (let left = TRIES; ; left--) {
      const room = fixture.room()
      const replayer = fixture.connect(await fixture.sign(room, 'replayer'))
      const { header, claims } = takeApart(await fixture.sign(room, 'recorder'))
      // Begin with a new second, so that most of it is left for the way to the node.
      await sleep(1000 - await store.now() % 1000)
      const exp = Math.floor(await store.now() / 1000) - Math.max(0, skew - 2)
      const recorder = fixture.connect(putTogether({ header, claims: { ...claims, iat: exp - ttl, exp } }, signText))
      if (await hears(fixture, recorder, replayer)) return
      const isLate = await store.now() >= (exp + skew) * 1000
      expect(isLate && left > 1, `with ${skew} s of skew, a client whose signature had just ended ${fateOf(recorder)}`)
    }
  }
}

const once: Rule = {
  id: 'once',
  rule: 'refuses a signature that was used before',
  async check (fixture) {
    const pair = await fixture.pair()
    await fixture.refused(fixture.connect(pair.recorder.signature), [4408], 'the second one with a signature')
    expect(await hears(fixture, pair.recorder, pair.replayer), 'the first client with the signature was disconnected')
  }
}

const onceAtOnce: Rule = {
  id: 'once-at-once',
  rule: 'admits one of two clients that present the same signature at the same time',
  async check (fixture) {
    const room = fixture.room()
    const signature = await fixture.sign(room, 'recorder')
    const replayer = fixture.connect(await fixture.sign(room, 'replayer'))
    const [one, other] = [fixture.connect(signature), fixture.connect(signature)]
    await waitFor(() => one.end ?? other.end, fixture.settings.answerMs)
    const [winner, loser] = one.end === undefined ? [one, other] : [other, one]
    expect(loser.end !== undefined, 'both stayed')
    expect(isRefused(loser.end, [4408]), `the second ${fateOf(loser)}; expected 4408`)
    expect(await hears(fixture, winner, replayer), `the first ${fateOf(winner)}, and is not heard`)
  }
}

const joinOnlyShut: Rule = {
  id: 'join-only-shut',
  rule: 'opens no room for a join-only signature',
  async check (fixture) {
    const { store } = fixture
    const room = fixture.room()
    await fixture.sign(room, 'recorder')
    const before = await store.binding(room)
    await fixture.refused(fixture.connect(await fixture.issueJoinOnly(room, 'recorder')), [4410],
      'a client with a join-only signature for a room where nobody is')
    expect((await store.binding(room))?.text === before?.text, 'it touched the binding of the room')
  }
}

const joinOnlyOpen: Rule = {
  id: 'join-only-open',
  rule: 'admits a join-only signature to an open room, once',
  async check (fixture) {
    const { room, recorder } = await fixture.pair()
    const reloaded = fixture.connect(await fixture.issueJoinOnly(room, 'replayer'))
    expect(await hears(fixture, recorder, reloaded), `a client with a join-only signature ${fateOf(reloaded)}`)
    await fixture.refused(fixture.connect(reloaded.signature), [4408], 'the second one with a join-only signature')
  }
}

export const admission: readonly Rule[] = [withinSkew, once, onceAtOnce, joinOnlyShut, joinOnlyOpen]
