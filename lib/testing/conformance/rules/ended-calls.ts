import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../verdict.js'
import { fateOf } from '../visitor.js'
import { waitFor } from '../wait.js'
import type { Pair } from '../pair.js'
import type { Rule } from '../rule.js'
import type { Stage } from '../stage.js'

async function endCall (stage: Stage): Promise<Pair & { older: string }> {
  const pair = await stage.pair()
  suppose(await stage.claimed(pair.room) !== undefined, 'the room was not claimed')
  const older = await stage.sign(pair.room, 'recorder')
  await stage.store.endCall(pair.room)
  return { ...pair, older }
}

const areGone = ({ recorder, replayer }: Pair) => recorder.end !== undefined && replayer.end !== undefined

const closes: Rule = {
  id: 'call-ended',
  rule: 'closes a room with 4410 soon after its call ended',
  async check (stage) {
    const { recorder, replayer } = await endCall(stage)
    await checkAll([recorder, replayer].map(async (side) =>
      await stage.refused(side, [4410], 'somebody inside', stage.settings.beatMs)))
  }
}

const refusesOlder: Rule = {
  id: 'call-ended-older',
  rule: 'refuses signatures from before the end of the call',
  async check (stage) {
    const { older, ...pair } = await endCall(stage)
    suppose(await waitFor(() => areGone(pair), stage.settings.beatMs) === true, 'the room was not closed')
    const { room } = pair
    const late = stage.knock(older)
    await waitFor(() => late.end, stage.settings.answerMs)
    // A signature that took too long has expired.
    await stage.refused(late, [4410, 4401], 'a client with a signature from before')
    expect((await stage.store.binding(room))?.state !== 'claimed', 'the room was claimed again')
  }
}

const admitsNewer: Rule = {
  id: 'call-ended-newer',
  rule: 'opens the room again for signatures that are dated after the end of the call',
  async check (stage) {
    const { older, ...pair } = await endCall(stage)
    const { store, settings } = stage
    suppose(await waitFor(() => areGone(pair), settings.beatMs) === true, 'the room was not closed')
    // Dates of signatures are whole seconds.
    await sleep(1000 - await store.now() % 1000)
    const next = await stage.pair(pair.room)
    const isThrownOut = await waitFor(() => next.recorder.end ?? next.replayer.end, settings.times.heartbeat)
    expect(isThrownOut === undefined, `the next call's recorder ${fateOf(next.recorder)}`)
  }
}

const saysHeard: Rule = {
  id: 'call-ended-heard',
  rule: 'says with a heartbeat that it heard of the end of a call',
  async check (stage) {
    const { room } = await endCall(stage)
    const { store, settings: { nodeId, beatMs } } = stage
    const hasHeard = await waitFor(async () => !await store.isEndUnheard(nodeId, room), 2 * beatMs)
    expect(hasHeard === true, 'the store tells it of the same end again and again')
  }
}

export const endedCalls: readonly Rule[] = [closes, refusesOlder, admitsNewer, saysHeard]
