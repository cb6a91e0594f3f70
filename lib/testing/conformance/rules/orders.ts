import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from '../rule.js'
import { fateOf } from '../client.js'
import { expect, suppose } from '../result.js'
import { waitFor } from '../wait.js'
import type { Rule } from '../rule.js'
import type { Environment, Fixture } from '../fixture.js'
import type { Plan } from '../faults.js'
import type { Registration } from '../store.js'

const ORDER = { reason: 'checked by checkNode', author: 'checkNode' }

/** Time for a node to hear of the order before its deadline. */
const deadlineOf = ({ settings: { times, answerMs } }: Pick<Environment, 'settings'>) => times.heartbeat * 2 + answerMs

/** Gives the order to drain, and takes it back. */
export function giveOrder (environment: Environment): Plan {
  const { settings: { nodeId }, registry: { operations } } = environment
  return {
    async inject () {
      await operations?.setOrder(nodeId, { kind: 'drain', ...ORDER, deadline: deadlineOf(environment) })
    },
    heal: async () => await operations?.setOrder(nodeId, null)
  }
}

function saysThatItDrains (present: Registration | null): boolean {
  try {
    return JSON.parse(present?.record ?? '').draining === true
  } catch {
    return false
  }
}

/** Waits until the record of the node says whether it drains. */
async function drains ({ settings: { nodeId, beatMs }, store }: Fixture, isExpected: boolean): Promise<boolean> {
  const isSeen = async () => saysThatItDrains(await store.registration(nodeId)) === isExpected
  return await waitFor(isSeen, beatMs) === true
}

const shows: Rule = {
  id: 'order-shows',
  rule: 'says in its record that it drains while it is under an order, and no longer than that',
  async check (fixture, fault) {
    await fault.begin()
    expect(await drains(fixture, true), 'its record does not say that it drains')
    await fault.end()
    const { settings: { nodeId, times }, store } = fixture
    const isOver = await drains(fixture, false)
    // The record of a new registration may not tell at first.
    await sleep(2 * times.heartbeat)
    const isStillOver = !saysThatItDrains(await store.registration(nodeId))
    expect(isOver && isStillOver, 'its record says that it drains, though the order was taken back')
  }
}

const keepsUntilDeadline: Rule = {
  id: 'order-keeps',
  rule: 'keeps its rooms until the deadline of the order',
  async check (fixture, fault) {
    const { recorder, replayer } = await fixture.pair()
    const begunAt = await fault.begin()
    const isEarly = () => performance.now() - begunAt < deadlineOf(fixture) - fixture.settings.times.heartbeat
    const early = await waitFor(() => {
      if (!isEarly()) return 'late'
      return [recorder, replayer].find(({ end }) => end !== undefined)
    }, deadlineOf(fixture))
    expect(early === 'late', `somebody inside ${early === undefined || early === 'late' ? 'is gone' : fateOf(early)}`)
  }
}

const empties: Rule = {
  id: 'order-empties',
  rule: 'closes its rooms with 4410 at the deadline, and registers under a new incarnation without rooms',
  async check (fixture, fault) {
    const { settings: { recoverMs }, store } = fixture
    const { room, recorder, replayer } = await fixture.pair()
    const before = await fixture.node()
    await fault.begin()
    const ms = deadlineOf(fixture) + recoverMs
    await checkAll([recorder, replayer].map(async (side) => await fixture.refused(side, [4410], 'somebody inside', ms)))
    const after = await fixture.successor(before, recoverMs)
    expect(after !== undefined, 'it has no new incarnation')
    const binding = await store.binding(room)
    expect(binding?.member !== after.member, 'the room is bound to it again')
  }
}

const refusesEarlier: Rule = {
  id: 'order-old-signature',
  rule: 'refuses signatures from before it was emptied',
  async check (fixture, fault) {
    const { room } = await fixture.pair()
    const before = await fixture.node()
    await fault.begin()
    // The latest one that a gateway may have signed.
    const ms = deadlineOf(fixture) + fixture.settings.recoverMs
    let signature = fixture.issue(room, 'replayer', { node: before, issuedAt: await fixture.store.now() })
    const after = await waitFor(async () => {
      signature = fixture.issue(room, 'replayer', { node: before, issuedAt: await fixture.store.now() })
      const present = await fixture.store.registration(before.id)
      return present?.isAlive === true && present.incarnation !== before.incarnation
    }, ms)
    suppose(after === true, 'it has no new incarnation')
    await fixture.refused(fixture.connect(signature), [4401, 4410], 'a client with a signature for the old incarnation')
  }
}

export const orders: readonly Rule[] = [shows, keepsUntilDeadline, empties, refusesEarlier]
