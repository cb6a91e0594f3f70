import type { MultiFailure, ZooKeeperOp, ZooKeeperStat } from '../../../lib/zookeeper-client/client.js'
import type { Ensemble, Server } from './sim-ensemble.js'
import type { Connection } from './sim-network.js'
import type { TreeNode } from './sim-tree.js'

export type Reply<T> = { value: T, moment?: number } | { code: string }

/** Request of a client to the server that it is connected to. */
export interface Request<T> {
  /** Answered from the server's own state. */
  isLocal: boolean
  /** Has no effect without a caller that waits for the answer. */
  isIdle: boolean
  run (ensemble: Ensemble, server: Server, connection: Connection): Reply<T>
}

const hex = (number: number) => number.toString(16).padStart(16, '0')

function toStat ({ version, cversion, czxid, mtime, owner, children }: TreeNode): ZooKeeperStat {
  return {
    version, cversion, czxid: hex(czxid), mtime, ephemeralOwner: owner || hex(0), numChildren: children.size
  }
}

type Watch = 'data' | 'children' | undefined

function read<T> (
  path: string, watch: Watch, isAbsentWatched: boolean, toValue: (node: TreeNode) => T
): Request<T | undefined> {
  return {
    isLocal: true,
    isIdle: true,
    run (_ensemble, { tree }, connection) {
      const node = tree.get(path)
      if (watch !== undefined && (node !== undefined || isAbsentWatched)) {
        const watches = watch === 'data' ? connection.dataWatches : connection.childWatches
        watches.add(path)
      }
      return { value: node && toValue(node) }
    }
  }
}

export const serverSide = {
  /** Resumes a session, or creates one. @returns its id; undefined if it is over */
  open: (id: string | undefined, timeout: number, lastZxid: number): Request<string | undefined> => ({
    isLocal: false,
    isIdle: true,
    run (ensemble, server, connection) {
      const session = id === undefined ? ensemble.openSession(timeout) : ensemble.findSession(id)
      // A session never sees older states.
      ensemble.catchUp(server, id === undefined ? undefined : lastZxid)
      connection.session = session
      return { value: session?.id }
    }
  }),
  get: (path: string, isWatched: boolean) => read(
    path, isWatched ? 'data' : undefined, false, (node) => ({ data: Buffer.from(node.data), stat: toStat(node) })
  ),
  exists: (path: string, isWatched: boolean) => read(path, isWatched ? 'data' : undefined, true, toStat),
  children: (path: string, isWatched: boolean) => read(
    path, isWatched ? 'children' : undefined, false, ({ children }) => [...children]
  ),
  multi: (ops: ZooKeeperOp[]): Request<MultiFailure | undefined> => ({
    isLocal: false,
    isIdle: false,
    run (ensemble, server, { session }) {
      const failure = session?.isOver === false ? ensemble.commit(ops, session.id) : { index: -1, name: 'SESSION_EXPIRED' }
      ensemble.catchUp(server)
      return failure?.name === 'SESSION_EXPIRED' ? { code: failure.name } : { value: failure, moment: ensemble.moment }
    }
  })
}
