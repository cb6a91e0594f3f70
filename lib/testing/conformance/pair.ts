import { setTimeout as sleep } from 'node:timers/promises'
import { freshId } from './forge.js'
import { BrokenRule } from './result.js'
import { fateOf } from './client.js'
import { waitFor } from './wait.js'
import type { RoomKey } from '../../../types/registry.js'
import type { Fixture } from './fixture.js'
import type { Client } from './client.js'

const TRIES = 3

/** The two sides of a room. */
export interface Pair {
  room: RoomKey
  recorder: Client
  replayer: Client
}

type Talk = Pick<Fixture, 'settings'>

/** Whether a message of one side reaches the other: the only sign of an admission that every node gives. */
export async function hears ({ settings }: Talk, speaker: Client, listener: Client): Promise<boolean> {
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
export async function meet (fixture: Fixture, room: RoomKey): Promise<Pair> {
  const { signing: { ttl, skew } } = fixture.settings
  for (let left = TRIES; ; left--) {
    const signedAt = performance.now()
    const [ours, theirs] = [await fixture.sign(room, 'recorder'), await fixture.sign(room, 'replayer')]
    const pair = { room, recorder: fixture.connect(ours), replayer: fixture.connect(theirs) }
    if (await hears(fixture, pair.recorder, pair.replayer)) return pair
    const isLate = performance.now() - signedAt > (ttl + skew - 1) * 1000
    // A node on ZooKeeper may be slower than the runner to read of its own new incarnation.
    const isEarly = [pair.recorder, pair.replayer].some(({ end }) => end?.code === 4401)
    if (!(isLate || isEarly) || left === 1) {
      const fates = `the recorder ${fateOf(pair.recorder)}, the replayer ${fateOf(pair.replayer)}`
      throw new BrokenRule(`the two sides of a room do not hear each other: ${fates}`)
    }
    pair.recorder.terminate()
    pair.replayer.terminate()
    if (isEarly) await sleep(fixture.settings.times.heartbeat / 2)
  }
}
