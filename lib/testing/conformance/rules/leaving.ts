import { checkAll } from '../rule.js'
import { hears } from '../pair.js'
import { expect, suppose } from '../verdict.js'
import { fateOf } from '../visitor.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Scene } from '../stage.js'
import type { Plan } from '../trouble.js'

/** Stops the node, and starts a process with the same id. */
export function stopAndStart ({ settings: { stop, start } }: Scene): Plan {
  return {
    strike: async () => await stop?.(),
    lift: async () => await start?.()
  }
}

const leavesFirst: Rule = {
  id: 'leaves',
  rule: 'leaves the registry and then closes its rooms with 4410, when it is told to go',
  async check (stage, trouble) {
    const { settings: { recoverMs }, store } = stage
    const { recorder, replayer } = await stage.pair()
    const { id } = await stage.node()
    let wasRegistered: boolean | undefined
    const watch = async () => await waitFor(async () => {
      if (recorder.end === undefined) return undefined
      wasRegistered ??= await store.registration(id) !== null
      return 'closed'
    }, recoverMs)
    await Promise.all([watch(), trouble.begin()])
    await checkAll([recorder, replayer].map(async (side) => await stage.refused(side, [4410], 'somebody inside', recoverMs)))
    expect(wasRegistered === false, 'it was registered yet when it closed a room')
  }
}

const startsAnew: Rule = {
  id: 'restarts',
  rule: 'registers under a new incarnation when it is started again',
  async check (stage, trouble) {
    const { settings: { recoverMs }, store } = stage
    const before = await stage.node()
    await trouble.begin()
    await trouble.end()
    const after = await waitFor(async () => {
      const present = await store.registration(before.id)
      return present?.isAlive === true && present
    }, recoverMs)
    expect(after !== undefined, 'it has not registered again')
    expect(after.incarnation !== before.incarnation, 'it has the incarnation of the process before')
    await stage.pair()
  }
}

const forgetsJoinOnly: Rule = {
  id: 'join-only-restarted',
  rule: 'refuses join-only signatures from before it was started again',
  async check (stage, trouble) {
    const { settings: { recoverMs } } = stage
    const before = await stage.node()
    const { room, recorder } = await stage.pair()
    const used = stage.knock(await stage.issueJoinOnly(room, 'replayer'))
    suppose(await hears(stage, recorder, used), `a client with a join-only signature ${fateOf(used)}`)
    await trouble.begin()
    await trouble.end()
    suppose(await stage.successor(before, recoverMs) !== undefined, 'it has not registered again')
    await stage.pair(room)
    // After a slow restart the signature has expired.
    await stage.refused(stage.knock(used.signature), [4410, 4408, 4401], 'a client with a used join-only signature')
  }
}

export const leaving: readonly Rule[] = [leavesFirst, startsAnew, forgetsJoinOnly]
