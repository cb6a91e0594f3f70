import { freshId } from './forge.js'
import { BrokenRule } from './verdict.js'
import { fateOf } from './visitor.js'
import { waitFor } from './wait.js'
import type { RoomKey } from '../../../types/registry.js'
import type { Stage } from './stage.js'
import type { Visitor } from './visitor.js'

const TRIES = 3

/** The two sides of a room. */
export interface Pair {
  room: RoomKey
  recorder: Visitor
  replayer: Visitor
}

type Talk = Pick<Stage, 'settings'>

/** Whether a message of one side reaches the other: the only sign of an admission that every node gives. */
export async function hears ({ settings }: Talk, speaker: Visitor, listener: Visitor): Promise<boolean> {
  const mark = `cobrowse-check-${freshId()}`
  const message = settings.message(mark)
  const found = await waitFor(() => {
    if (listener.hasHeard(mark)) return 'heard'
    if (speaker.end !== undefined || listener.end !== undefined) return 'gone'
    // Repeat the message, since one that is sent before the admission may be lost.
    speaker.say(message)
    return undefined
  }, settings.answerMs)
  return found === 'heard'
}

/** @throws BrokenRule unless both sides hear each other */
export async function meet (stage: Stage, room: RoomKey): Promise<Pair> {
  const { signing: { ttl, skew } } = stage.settings
  for (let left = TRIES; ; left--) {
    const signedAt = performance.now()
    const [ours, theirs] = [await stage.sign(room, 'recorder'), await stage.sign(room, 'replayer')]
    const pair = { room, recorder: stage.knock(ours), replayer: stage.knock(theirs) }
    if (await hears(stage, pair.recorder, pair.replayer)) return pair
    const isLate = performance.now() - signedAt > (ttl + skew - 1) * 1000
    if (!isLate || left === 1) {
      const fates = `the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`
      throw new BrokenRule(`the two sides of a room do not hear each other: ${fates}`)
    }
    pair.recorder.terminate()
    pair.replayer.terminate()
  }
}
