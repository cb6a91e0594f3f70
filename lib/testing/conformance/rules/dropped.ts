import { setTimeout as sleep } from 'node:timers/promises'
import { hears } from '../pair.js'
import { checkAll, ofStore } from '../rule.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import type { Rule } from '../rule.js'
import type { Environment } from '../fixture.js'
import type { Plan } from '../faults.js'

/** Drops the node's connection, and ends calls while there is none. The session lives on. */
export function dropConnection ({ settings: { cut, heal, drop }, store }: Environment): Plan {
  return {
    async inject ({ ended }) {
      // The news of an end is held back, and then lost with the connection.
      await cut?.()
      for (const room of ended) await store.endCall(room)
      await drop?.()
      await heal?.()
    }
  }
}

const continues: Rule = {
  id: 'drop-continues',
  rule: 'keeps its registration and its clients if its connection drops and its session lives on',
  async check (fixture, fault) {
    const { settings: { recoverMs, times } } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    const before = await fixture.node()
    await fault.begin()
    await sleep(times.lease)
    const after = await fixture.started(recoverMs)
    expect(after?.incarnation === before.incarnation, 'it has another incarnation')
    const areTogether = await hears(fixture, recorder, replayer)
    expect(areTogether, `the recorder ${fateOf(recorder)}, the replayer ${fateOf(replayer)}`)
    const reloaded = fixture.connect(await fixture.sign(room, 'replayer'))
    expect(await hears(fixture, recorder, reloaded), `a client with a new signature ${fateOf(reloaded)}`)
  }
}

const hearsEnd: Rule = {
  id: 'drop-call-ended',
  rule: 'closes with 4410 a room whose call ended while its connection was lost',
  async check (fixture, fault) {
    const { settings: { times, beatMs } } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    suppose(await fixture.claimed(room) !== undefined, 'the room was not claimed')
    // The node may set its watch a little later than it claims.
    await sleep(times.heartbeat)
    await fault.begin({ ended: [room] })
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', times.lease + beatMs)))
  }
}

export const dropped = ofStore('ZooKeeper', [continues, hearsEnd])
