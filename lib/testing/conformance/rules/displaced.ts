import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from '../rule.js'
import { expect, suppose } from '../result.js'
import { IMPOSTOR_URL, isImpostor } from '../fixture.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Environment } from '../fixture.js'
import type { Plan } from '../faults.js'
import type { Membership } from '../../../../types/registry.js'

/** Registers another process under the node's id, and withdraws it later. */
export function displace ({ settings: { nodeId }, registry }: Environment): Plan {
  let impostor: Membership | undefined
  return {
    async inject () {
      impostor = await registry.join({ id: nodeId, wssUrl: IMPOSTOR_URL })
    },
    heal: async () => await impostor?.leave()
  }
}

const closesAll: Rule = {
  id: 'displaced-closes',
  rule: 'closes every room with 4410 after another process took its id',
  async check (fixture, fault) {
    const { recorder, replayer } = await fixture.pair()
    await fault.begin()
    await checkAll([recorder, replayer].map(async (side) =>
      await fixture.refused(side, [4410], 'somebody inside', fixture.settings.beatMs)))
  }
}

const admitsNobody: Rule = {
  id: 'displaced-refuses',
  rule: 'admits no client, with any signature, after another process took its id',
  async check (fixture, fault) {
    const { settings: { times, answerMs }, store } = fixture
    const { room } = await fixture.pair()
    const before = await fixture.node()
    await fault.begin()
    // By then the node has sent a heartbeat, and its lease has expired by its own clocks too.
    await sleep(times.lease + times.heartbeat)
    const [after, issuedAt] = [await store.registration(before.id), await store.now()]
    const signatures = {
      'with a signature for the node': fixture.issue(fixture.room(), 'recorder', { node: before, issuedAt }),
      'of a room that was open': fixture.issue(room, 'replayer', { node: before, issuedAt }),
      'with a signature for the other process': fixture.issue(fixture.room(), 'recorder', { node: after ?? before, issuedAt }),
      'with a join-only signature': await fixture.issueJoinOnly(room, 'replayer', before)
    }
    await checkAll(Object.entries(signatures).map(async ([whose, signature]) => {
      const client = fixture.connect(signature)
      await waitFor(() => client.end, answerMs)
      // The node may have ended its process.
      const hasStopped = client.end !== undefined && client.protocol === undefined && client.end.status === undefined
      if (!hasStopped) await fixture.refused(client, [4401, 4410, 4503], `a client ${whose}`, 0)
    }))
  }
}

const staysAway: Rule = {
  id: 'displaced-stays-away',
  rule: 'never registers again after another process took its id',
  async check (fixture, fault) {
    const { settings: { nodeId, times }, store } = fixture
    const returned = async () => await waitFor(async () => {
      const present = await store.registration(nodeId)
      return present !== null && !isImpostor(present)
    }, times.lease, times.heartbeat / 4)
    await fault.begin()
    const impostor = await store.registration(nodeId)
    suppose(impostor !== null && isImpostor(impostor), 'the other process is not registered')
    expect(await returned() === undefined, 'it registered again, and took the id from the other process')
    await fault.end()
    expect(await returned() === undefined, 'it registered again when the other process had gone')
  }
}

export const displaced: readonly Rule[] = [closesAll, admitsNobody, staysAway]
