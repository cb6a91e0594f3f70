import { nameOf } from './error.js'
import { assertPath } from './hosts.js'
import { changed, zookeeper } from './package.js'
import type { Send } from './connection.js'
import type { Acl, MultiResult, Transaction } from './package.js'

/** Longest request: a server closes a connection that sends more than 1 MiB, the request's own fields included. */
const MAX_REQUEST_BYTES = 1_000_000

export const ANY_VERSION = -1
const OP_ERROR = -1

export type ZooKeeperOp =
  | { type: 'check', path: string, version?: number | undefined }
  | { type: 'create', path: string, data: Buffer, ephemeral?: boolean | undefined }
  | { type: 'set', path: string, data: Buffer, version?: number | undefined }
  | { type: 'remove', path: string, version?: number | undefined }

/** The operation of a transaction that failed, and its error. */
export interface MultiFailure {
  index: number
  name: string
}

/** @throws TypeError for an invalid path, RangeError for a request that is too large */
export function sendMulti (ops: ZooKeeperOp[], acl: Acl): Send<MultiFailure | undefined> {
  for (const { path } of ops) assertPath(path)
  assertSendable(...ops.map((op) => 'data' in op ? op.data : undefined))
  return (client, done) => {
    const transaction = client.transaction()
    for (const op of ops) add(transaction, op, acl)
    transaction.commit((error, results) => {
      const failure = findFailure(results)
      if (failure !== undefined) done(null, failure)
      else done(error, undefined)
    })
  }
}

export function modeOf (op: { ephemeral?: boolean | undefined }): number {
  return op.ephemeral === true ? zookeeper().CreateMode.EPHEMERAL : zookeeper().CreateMode.PERSISTENT
}

export function assertSendable (...parts: Array<Buffer | undefined>): void {
  const bytes = parts.reduce((sum, data) => sum + (data?.length ?? 0), 0)
  if (bytes > MAX_REQUEST_BYTES) throw new RangeError(`more than ${MAX_REQUEST_BYTES} bytes of data`)
}

function add (transaction: Transaction, op: ZooKeeperOp, acl: Acl): void {
  if (op.type === 'create') {
    transaction.create(op.path, op.data, acl, modeOf(op))
    return
  }
  const { version = ANY_VERSION } = op
  if (op.type === 'check') transaction.check(op.path, version)
  else if (op.type === 'set') transaction.setData(op.path, op.data, version)
  else transaction.remove(op.path, version)
  // The package takes version 0 for any: https://github.com/alexguan/node-zookeeper-client, lib/Transaction.js.
  const added = transaction.ops.at(-1)
  if (added === undefined) throw changed('transaction().ops.at(-1)')
  added.version = version
}

/** Finds the failed operation: operations before it have the error 0, those after it an error of their own. */
function findFailure (results: MultiResult[] = []): MultiFailure | undefined {
  const index = results.findIndex(({ type, err = 0 }) => type === OP_ERROR && err !== 0)
  const code = results[index]?.err
  return code === undefined ? undefined : { index, name: nameOf(code) }
}
