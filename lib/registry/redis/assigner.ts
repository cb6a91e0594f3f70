import { RegistrySettlingError, RegistryUnavailableError } from '../../errors.js'
import { createBatch } from '../../common/batch.js'
import { throwIfOver } from '../../common/deadline.js'
import { toNodeRef } from '../../common/node-ref.js'
import { MAX_RECORD_BYTES } from '../nodes/node-record.js'
import { memberOf } from '../nodes/member.js'
import { unanswerable } from '../../common/unavailable.js'
import { ASSIGN, ASSIGN_LISTED } from './scripts/gateway.js'
import { toAnswer } from './store.js'
import type { Clock } from '../../common/clock.js'
import type { Ending } from '../../common/deadline.js'
import type { Chooser, ChoiceOptions } from '../nodes/chooser.js'
import type { RedisStore } from './store.js'
import type { RedisView } from './view.js'
import type { Assignment, ListedNodes, NodeView, RoomKey } from '../../../types/registry.js'

export interface AssignerOptions {
  store: RedisStore
  view: RedisView
  chooser: Chooser
  clock: Clock
  listed: ListedNodes | undefined
  keepsHistory: boolean
}

/** Assigns rooms by way of Redis. An atomic script answers the rooms of one turn of the event loop. */
export interface Assigner {
  assign (room: RoomKey, choice: ChoiceOptions, ending: Ending): Promise<Assignment>
}

interface Proposal {
  candidates: NodeView[]
  /** For the history; '' for nothing. */
  choice: string
  failure?: { reason: unknown }
}

const NOTHING: Proposal = { candidates: [], choice: '' }

/**
 * The script answers one room after the other, and Redis nobody else meanwhile. With more of them in one call, this
 * process would wait for Redis instead of working on other requests: with 64, a tenth less is answered.
 */
const MOST_ROOMS = 32

interface Question {
  /** Key of the room. */
  key: string
  members: string[]
  choice: string
}

interface Verdict {
  outcome: 'bound' | 'chosen' | 'none' | 'settling' | 'failed'
  /** Of the outcomes that name a node; absent if its record cannot be read. */
  node: NodeView | undefined
  /** Of the outcome `failed`. */
  message: string
  issuedAt: number
}

/** The documented answer of ASSIGN. */
type Reply = [now: number, memory: string, answers: unknown[], named: unknown[]]

export function createAssigner ({ store, view, chooser, clock, listed, keepsHistory }: AssignerOptions): Assigner {
  const script = listed === undefined ? ASSIGN : ASSIGN_LISTED
  const common = listed === undefined ? [MAX_RECORD_BYTES] : [listed.hash ?? '', listed.keys ?? '', MAX_RECORD_BYTES]
  const ask = createBatch({ clock, most: MOST_ROOMS, run: askTogether })

  async function askTogether (questions: Question[]): Promise<Verdict[]> {
    const args = [...common]
    for (const { members, choice } of questions) args.push(members.length, ...members, choice)
    const reply = await store.run(script, { args, rooms: questions.map(({ key }) => key) })
    const [now, memory, answers, named] = reply as Reply
    store.remember(memory)
    const nodes: Array<NodeView | undefined> = []
    for (let at = 0; at < named.length; at += 2) nodes.push(view.nodeOf(String(named[at]), named[at + 1]))
    return questions.map((_, at) => {
      const [outcome, said] = [answers[2 * at] as Verdict['outcome'], answers[2 * at + 1]]
      return { outcome, node: nodes[Number(said)], message: String(said), issuedAt: Number(now) }
    })
  }

  /** Catches failures of the application's functions, which affect new rooms only: a bound room needs no choice. */
  function propose (room: RoomKey, choice: ChoiceOptions): Proposal {
    try {
      const candidates = chooser.choose(room, choice)
      return { candidates, choice: keepsHistory ? chooser.describe(candidates, choice) : '' }
    } catch (reason) {
      return { candidates: [], choice: '', failure: { reason } }
    }
  }

  /** @returns undefined if no candidate is live */
  async function tryToAssign (room: RoomKey, proposal: Proposal): Promise<Assignment | undefined> {
    const { candidates, choice, failure } = proposal
    const [proposed] = candidates
    // Count before the answer: otherwise a burst of requests would propose the same node.
    if (proposed !== undefined) chooser.count(proposed, 1)
    try {
      const { outcome, node, message, issuedAt } = await ask({
        key: store.room(room), members: candidates.map(memberOf), choice
      })
      if (outcome === 'none') {
        if (failure !== undefined) throw failure.reason
        return undefined
      }
      if (outcome === 'settling') throw new RegistrySettlingError()
      if (outcome === 'failed') throw new RegistryUnavailableError({ cause: toAnswer(new Error(message)) })
      if (node === undefined) throw unanswerable('the record of the room\'s node cannot be read')
      if (outcome === 'chosen') chooser.count(node, 1)
      return { node: toNodeRef(node), issuedAt, joinOnly: false }
    } finally {
      if (proposed !== undefined) chooser.count(proposed, -1)
    }
  }

  return {
    async assign (room, choice, ending) {
      throwIfOver(ending)
      // A choice for each request would cost more than a second trip for the few known rooms that are no longer bound.
      const bound = choice.isKnown === true ? await tryToAssign(room, NOTHING) : undefined
      if (bound !== undefined) return bound
      throwIfOver(ending)
      const first = await tryToAssign(room, propose(room, choice))
      if (first !== undefined) return first
      await view.refresh()
      throwIfOver(ending)
      const second = await tryToAssign(room, propose(room, choice))
      if (second === undefined) throw chooser.noNode(choice)
      return second
    }
  }
}
