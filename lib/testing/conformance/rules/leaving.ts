import { checkAll } from '../rule.js'
import { hears } from '../pair.js'
import { expect, suppose } from '../result.js'
import { fateOf } from '../client.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Environment } from '../fixture.js'
import type { Plan } from '../faults.js'

/** Stops the node, and starts a process with the same id. */
export function stopAndStart ({ settings: { stop, start } }: Environment): Plan {
  return {
    inject: async () => await stop?.(),
    heal: async () => await start?.()
  }
}

const leavesFirst: Rule = {
  id: 'leaves',
  rule: 'leaves the registry and then closes its rooms with 4410, when it is told to shut down',
  async check (fixture, fault) {
    const { settings: { recoverMs }, store } = fixture
    const { recorder, replayer } = await fixture.pair()
    const { id } = await fixture.node()
    let wasRegistered: boolean | undefined
    const watch = async () => await waitFor(async () => {
      if (recorder.end === undefined) return undefined
      wasRegistered ??= await store.registration(id) !== null
      return 'closed'
    }, recoverMs)
    await Promise.all([watch(), fault.begin()])
    await checkAll([recorder, replayer].map(async (side) => await fixture.refused(side, [4410], 'somebody inside', recoverMs)))
    expect(wasRegistered === false, 'it was still registered when it closed a room')
  }
}

const startsAnew: Rule = {
  id: 'restarts',
  rule: 'registers under a new incarnation when it is started again',
  async check (fixture, fault) {
    const { settings: { recoverMs }, store } = fixture
    const before = await fixture.node()
    await fault.begin()
    await fault.end()
    const after = await waitFor(async () => {
      const present = await store.registration(before.id)
      return present?.isAlive === true && present
    }, recoverMs)
    expect(after !== undefined, 'it has not registered again')
    expect(after.incarnation !== before.incarnation, 'it has the incarnation of the process before')
    await fixture.pair()
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

export const leaving: readonly Rule[] = [leavesFirst, startsAnew, forgetsJoinOnly]
