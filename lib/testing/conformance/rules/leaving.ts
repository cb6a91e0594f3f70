import { setTimeout as sleep } from 'node:timers/promises'
import { splitMember } from '../../../registry/nodes/member.js'
import { checkAll } from '../rule.js'
import { hears } from '../pair.js'
import { IMPOSTOR_URL, isImpostor } from '../fixture.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Registration } from '../store.js'
import type { RoomKey } from '../../../../types/registry.js'
import type { Plan } from '../faults.js'

/** Stops the node, and starts it again while an earlier process has its id. */
export function stopAndStart (environment: Environment): Plan {
  const { settings: { nodeId, stop, start }, registry, store } = environment
  let isStopped = false
  return {
    async inject () {
      await stop?.()
      isStopped = true
    },
    async heal () {
      const earlier = await registry.join({ id: nodeId, wssUrl: IMPOSTOR_URL })
      // Begin with a new second: the second of the first registration matters.
      await sleep(1000 - await store.now() % 1000)
      await start?.()
      if (isStopped) environment.leftAlive.push(...await aliveAfterStart(environment))
      await earlier.leave()
    }
  }
}

/** Waits until the node has replaced the earlier process. @returns the members with its id that are alive then */
async function aliveAfterStart ({ settings: { nodeId, recoverMs }, store }: Environment): Promise<string[]> {
  await waitFor(async () => {
    const present = await store.registration(nodeId)
    return present !== null && !isImpostor(present)
  }, recoverMs)
  return (await store.members()).filter((member) => splitMember(member).id === nodeId)
}

const leavesFirst: Rule = {
  id: 'leaves',
  rule: 'leaves the registry and then closes its rooms with 4410, when it is told to shut down',
  async check (fixture, fault) {
    const { settings: { recoverMs }, store } = fixture
    const { recorder, replayer } = await fixture.pair()
    const { id } = await fixture.node()
    let hasStopped = false
    const stopped = fault.begin().finally(() => { hasStopped = true })
    const look = async () => recorder.end && { isRegistered: await store.registration(id) !== null }
    const watch = async () => {
      // A node may drain for much longer than it takes to register again.
      const seen = await waitFor(async () => await look() ?? hasStopped, Infinity)
      return seen === true ? await waitFor(look, recoverMs) : seen
    }
    const [closed] = await Promise.all([watch(), stopped])
    await checkAll([recorder, replayer].map(async (side) => await fixture.refused(side, [4410], 'somebody inside', recoverMs)))
    suppose(closed !== undefined, 'the runner did not see the moment at which a room was closed')
    expect(!closed.isRegistered, 'it was still registered when it closed a room')
  }
}

const startsAnew: Rule = {
  id: 'restarts',
  rule: 'replaces an earlier process with its id, under a new incarnation, when it is started again',
  async check (fixture, fault) {
    const { settings: { recoverMs } } = fixture
    const before = await fixture.node()
    await fault.begin()
    await fault.end()
    const after = await fixture.started(recoverMs)
    expect(after !== undefined, 'it has not registered again')
    expect(after.incarnation !== before.incarnation, 'it has the incarnation of the process before')
    await fixture.pair()
  }
}

const replacesAlive: Rule = {
  id: 'restarts-alone',
  store: 'ZooKeeper',
  rule: 'deletes the znode of an earlier process with its id in the transaction that registers it',
  async check (fixture, fault) {
    const before = await fixture.node()
    await fault.begin()
    await fault.end()
    suppose(await fixture.successor(before, fixture.settings.recoverMs) !== undefined, 'it has not registered again')
    const seen = fixture.leftAlive.join(', ')
    expect(fixture.leftAlive.length <= 1, `registrations with its id that were alive at the same time: ${seen}`)
  }
}

const forgetsJoinOnly: Rule = {
  id: 'join-only-restarted',
  rule: 'refuses join-only signatures from before it was started again',
  async check (fixture, fault) {
    const { settings: { recoverMs } } = fixture
    const before = await fixture.node()
    const { room, recorder } = await fixture.pair()
    const used = fixture.connect(await fixture.issueJoinOnly(room, 'replayer'))
    suppose(await hears(fixture, recorder, used), `a client with a join-only signature ${fateOf(used)}`)
    await fault.begin()
    await fault.end()
    suppose(await fixture.successor(before, recoverMs) !== undefined, 'it has not registered again')
    await fixture.pair(room)
    // After a slow restart the signature has expired.
    await fixture.refused(fixture.connect(used.signature), [4410, 4408, 4401], 'a client with a used join-only signature')
  }
}

/** Issues join-only signatures as a gateway does that knows `known`, dated by `second`. */
const dated = ({ settings: { nodeId }, ...fixture }: Fixture, known: Registration, second: number) =>
  (room: RoomKey) => fixture.issue(room, 'replayer', {
    node: { id: nodeId, incarnation: known.incarnation }, issuedAt: second * 1000, joinOnly: true
  })

const doubtsOtherGateways: Rule = {
  id: 'join-only-before',
  rule: 'refuses join-only signatures of a gateway that knows an earlier process, dated up to 5 s after its start',
  async check (fixture, fault) {
    const { settings: { recoverMs, signing: { skew } }, store } = fixture
    suppose(skew >= 1, 'the skew is shorter than a second')
    const before = await fixture.node()
    await fault.begin()
    const stoppedAt = await store.now()
    await fault.end()
    suppose(await fixture.successor(before, recoverMs) !== undefined, 'it has not registered again')
    const { room } = await fixture.pair()
    const issue = dated(fixture, before, Math.ceil(stoppedAt / 1000) + skew - 1)
    // After a slow restart the signature has expired.
    await fixture.refused(fixture.connect(issue(room)), [4410, 4401],
      'a client with a join-only signature that names the process before')
  }
}

const trustsItsOwn: Rule = {
  id: 'join-only-first-second',
  rule: 'accepts join-only signatures from the second of its start if they name its incarnation',
  async check (fixture, fault) {
    const { settings: { recoverMs, signing: { ttl, skew } }, store } = fixture
    const before = await fixture.node()
    await fault.begin()
    await fault.end()
    const after = await fixture.successor(before, recoverMs)
    suppose(after !== undefined, 'it has not registered again')
    // A node learns the time of its registration a little late, perhaps in the next second.
    const second = Math.round(after.renewedAt / 1000)
    const { room, recorder } = await fixture.pair()
    const reloaded = fixture.connect(dated(fixture, after, second)(room))
    if (await hears(fixture, recorder, reloaded)) return
    suppose(await store.now() < (second + ttl + skew) * 1000, 'the restart was too slow: the signature has expired')
    expect(false, `a client with a join-only signature from the second of the start ${fateOf(reloaded)}`)
  }
}

export const leaving: readonly Rule[] =
  [leavesFirst, startsAnew, replacesAlive, forgetsJoinOnly, doubtsOtherGateways, trustsItsOwn]
