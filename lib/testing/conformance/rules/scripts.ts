import { expect, suppose } from '../result.js'
import { hears } from '../pair.js'
import { fateOf } from '../client.js'
import { checkAll } from '../rule.js'
import { redisOf } from '../store.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Pair } from '../pair.js'

const sendsAgain: Rule = {
  id: 'noscript',
  store: 'Redis',
  rule: 'sends a script with EVAL when the store answers NOSCRIPT',
  async check (fixture) {
    const { settings: { times, answerMs } } = fixture
    const store = redisOf(fixture)
    const leave = async ({ room, recorder, replayer }: Pair) => {
      for (const side of [recorder, replayer]) side.leave()
      return await waitFor(async () => (await store.binding(room))?.state === 'released', answerMs) === true
    }
    suppose(await leave(await fixture.pair()), 'it releases no rooms')
    const pair = await fixture.pair()
    suppose(await fixture.claimed(pair.room) !== undefined, 'the room was not claimed')
    const next = fixture.room()
    const [ours, theirs] = [await fixture.sign(next, 'recorder'), await fixture.sign(next, 'replayer')]
    const { id, leaseEnds } = await fixture.node()
    suppose(await store.flushScripts(), 'the store does not forget its scripts')
    const newcomers = [fixture.connect(ours), fixture.connect(theirs)] as const

    async function beats (): Promise<void> {
      const isRenewed = await waitFor(async () =>
        // A heartbeat may have been under way.
        Number((await store.registration(id))?.leaseEnds) > leaseEnds + times.heartbeat / 2,
      2 * times.heartbeat + answerMs)
      expect(isRenewed === true, 'its heartbeats have stopped')
    }
    async function claims (): Promise<void> {
      expect(await hears(fixture, ...newcomers), `the next client ${fateOf(newcomers[0])}`)
    }
    async function releases (): Promise<void> {
      expect(await leave(pair), 'it did not release a room')
    }
    await checkAll([beats(), claims(), releases()])
  }
}

export const scripts: readonly Rule[] = [sendsAgain]
