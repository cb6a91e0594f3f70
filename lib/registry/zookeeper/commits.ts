import { createBatch } from '../../common/batch.js'
import { throwIfOver } from '../../common/deadline.js'
import { unanswerable } from '../../common/unavailable.js'
import type { Clock } from '../../common/clock.js'
import type { Ending } from '../../common/deadline.js'
import type { ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { ZooKeeperLayout } from './layout.js'

/** The leader runs the operations of one transaction without a pause. */
const MOST_COMMITS = 64

/** `changed` another client wrote first · `gone` the node is gone */
export type CommitOutcome = 'done' | 'changed' | 'gone'

/** Runs all operations if the node is alive, otherwise none. */
export type Commit = (member: string, ops: ZooKeeperOp[], ending: Ending) => Promise<CommitOutcome>

export interface CommitOptions {
  client: Pick<ZooKeeperClient, 'multi'>
  layout: Pick<ZooKeeperLayout, 'nodePath'>
  clock: Pick<Clock, 'endOfTurn'>
}

interface Waiting {
  member: string
  ops: ZooKeeperOp[]
  ending: Ending
}

/**
 * Sends the commits of one turn of the event loop as one transaction, because a request costs ZooKeeper far more than
 * an operation. If an operation fails, none was run: its commit has failed, and each of the others is sent alone.
 */
export function createCommit ({ client, layout, clock }: CommitOptions): Commit {
  const join = createBatch({ clock, most: MOST_COMMITS, run: commitTogether })

  const checkOf = (member: string): ZooKeeperOp => ({ type: 'check', path: layout.nodePath(member) })

  async function commitTogether (commits: Waiting[]): Promise<Array<CommitOutcome | Promise<CommitOutcome>>> {
    const ops: ZooKeeperOp[] = []
    const owners: number[] = []
    const checks = new Map<string, number>()
    const add = (owner: number, op: ZooKeeperOp) => {
      owners.push(owner)
      return ops.push(op) - 1
    }
    for (const [at, commit] of commits.entries()) {
      if (!checks.has(commit.member)) checks.set(commit.member, add(at, checkOf(commit.member)))
      for (const op of commit.ops) add(at, op)
    }
    const failure = await client.multi(ops)
    const failed = failure && owners[failure.index]
    return commits.map((commit, at) => {
      if (failure === undefined) return 'done'
      return at === failed ? outcomeOf(failure.name, failure.index === checks.get(commit.member)) : commitAlone(commit)
    })
  }

  async function commitAlone ({ member, ops, ending }: Waiting): Promise<CommitOutcome> {
    throwIfOver(ending)
    const failure = await client.multi([checkOf(member), ...ops], { signal: ending })
    return failure === undefined ? 'done' : await outcomeOf(failure.name, failure.index === 0)
  }

  return async (member, ops, ending) => {
    throwIfOver(ending)
    return await join({ member, ops, ending })
  }
}

async function outcomeOf (error: string, isOfNode: boolean): Promise<CommitOutcome> {
  // A node that this client may not see is not necessarily gone.
  if (error === 'NO_AUTH') throw unanswerable('ZooKeeper refuses: NO_AUTH')
  return isOfNode ? 'gone' : 'changed'
}
