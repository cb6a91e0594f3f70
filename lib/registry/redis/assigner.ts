import { NoLiveNodeError, RegistrySettlingError } from '../../errors.js'
import { throwIfOver } from '../../common/deadline.js'
import { toNodeRef } from '../../common/node-ref.js'
import { MAX_RECORD_BYTES } from '../nodes/node-record.js'
import { memberOf } from '../nodes/member.js'
import { unanswerable } from '../../common/unavailable.js'
import { ASSIGN, ASSIGN_LISTED } from './scripts/gateway.js'
import type { Ending } from '../../common/deadline.js'
import type { Chooser, ChoiceOptions } from '../nodes/chooser.js'
import type { RedisStore } from './store.js'
import type { RedisView } from './view.js'
import type { Assignment, ListedNodes, NodeView, RoomKey } from '../../../types/registry.js'

export interface AssignerOptions {
  store: RedisStore
  view: RedisView
  chooser: Chooser
  listed: ListedNodes | undefined
}

/** Assigns rooms by way of Redis. Each answer is one atomic script. */
export interface Assigner {
  assign (room: RoomKey, choice: ChoiceOptions, ending: Ending): Promise<Assignment>
}

interface Proposal {
  candidates: NodeView[]
  failure?: { reason: unknown }
}

const NOTHING: Proposal = { candidates: [] }

export function createAssigner ({ store, view, chooser, listed }: AssignerOptions): Assigner {
  const script = listed === undefined ? ASSIGN : ASSIGN_LISTED
  const common = listed === undefined ? [MAX_RECORD_BYTES] : [listed.hash ?? '', listed.keys ?? '', MAX_RECORD_BYTES]

  /** Catches failures of the application's functions, which affect new rooms only: a bound room needs no choice. */
  function propose (room: RoomKey, choice: ChoiceOptions): Proposal {
    try {
      return { candidates: chooser.choose(room, choice) }
    } catch (reason) {
      return { candidates: [], failure: { reason } }
    }
  }

  /** @returns undefined if no candidate is live */
  async function ask (room: RoomKey, proposal: Proposal, ending: Ending): Promise<Assignment | undefined> {
    throwIfOver(ending)
    const { candidates, failure } = proposal
    const [proposed] = candidates
    // Count before the answer: otherwise a burst of requests would propose the same node.
    if (proposed !== undefined) chooser.count(proposed, 1)
    let chosen: NodeView | undefined
    try {
      const args = [...common, ...candidates.map(memberOf)]
      const answer = await store.run(script, { args, rooms: [store.room(room)], within: ending })
      // The scripts document this type.
      const [outcome, member, text, now, memory] = answer as [string, string, string | null, number, string?]
      store.remember(memory)
      if (outcome === 'none') {
        if (failure !== undefined) throw failure.reason
        return undefined
      }
      if (outcome === 'settling') throw new RegistrySettlingError()
      const node = view.nodeOf(member, text)
      if (node === undefined) throw unanswerable('the record of the room\'s node cannot be read')
      if (outcome === 'chosen') chosen = node
      return { node: toNodeRef(node), issuedAt: Number(now), joinOnly: false }
    } finally {
      if (chosen !== undefined) chooser.count(chosen, 1)
      if (proposed !== undefined) chooser.count(proposed, -1)
    }
  }

  return {
    async assign (room, choice, ending) {
      // A choice for each request would cost more than a second trip for the few known rooms that are no longer bound.
      const bound = choice.isKnown === true ? await ask(room, NOTHING, ending) : undefined
      if (bound !== undefined) return bound
      const first = await ask(room, propose(room, choice), ending)
      if (first !== undefined) return first
      await view.refresh()
      const second = await ask(room, propose(room, choice), ending)
      if (second === undefined) throw new NoLiveNodeError()
      return second
    }
  }
}
