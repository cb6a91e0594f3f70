import { ZooKeeperError } from './error.js'
import { assertPath } from './hosts.js'
import { ANY_VERSION, assertSendable, modeOf, sendMulti } from './multi.js'
import { MAX_FRAME_BYTES } from './frames.js'
import type { CallOptions, Send } from './connection.js'
import type { MultiFailure, ZooKeeperOp } from './multi.js'
import type { Acl, Failure, Stat } from './package.js'

export interface ZooKeeperStat {
  version: number
  /** 16 hex digits. */
  czxid: string
  /** Milliseconds since the epoch, by the server's clock. */
  mtime: number
  /** 16 hex digits; zeros if the znode is not ephemeral. */
  ephemeralOwner: string
  numChildren: number
  cversion: number
}

export interface ReadOptions extends CallOptions {
  /**
   * Called once if the data may have changed; not when the connection is lost. A function that was passed several times
   * is called once.
   */
  watch?: (() => void) | undefined
}

/** Calls that throw ZooKeeperError, DeadlineError, the reason of the signal, or TypeError for an invalid path. */
export interface ZooKeeperCalls {
  /** @returns undefined for a missing znode, and then nothing is watched */
  get (path: string, options?: ReadOptions): Promise<{ data: Buffer, stat: ZooKeeperStat } | undefined>
  /** @returns undefined for a missing znode; the watch then fires when the znode is created */
  exists (path: string, options?: ReadOptions): Promise<ZooKeeperStat | undefined>
  /** @returns undefined for a missing znode, and then nothing is watched */
  children (path: string, options?: ReadOptions): Promise<string[] | undefined>
  /**
   * Runs all operations or none, as one operation of the leader.
   *
   * @returns undefined if all were done
   */
  multi (ops: ZooKeeperOp[], options?: CallOptions): Promise<MultiFailure | undefined>
  create (
    path: string, data: Buffer, options?: CallOptions & { ephemeral?: boolean | undefined }
  ): Promise<'ok' | 'exists' | 'no-parent'>
  remove (
    path: string, options?: CallOptions & { version?: number | undefined }
  ): Promise<'ok' | 'absent' | 'bad-version'>
}

export type Call = <T>(send: Send<T>, options?: CallOptions) => Promise<T>

/** @param acl permissions of created znodes */
export function createCalls (call: Call, acl: Acl): ZooKeeperCalls {
  return {
    async get (path, options = {}) {
      assertPath(path)
      return await read(call, `get ${path}`, options, (client, watcher, done) => {
        client.getData(path, watcher, (error, data = Buffer.alloc(0), stat) => {
          // The package trusts the length field.
          if (data.length > MAX_FRAME_BYTES) throw new RangeError('more data than a frame can hold')
          done(error, error ? undefined : { data, stat: toStat(stat) })
        })
      })
    },
    async exists (path, options = {}) {
      assertPath(path)
      return await read(call, `exists ${path}`, options, (client, watcher, done) => {
        client.exists(path, watcher, (error, stat) => done(error, stat ? toStat(stat) : undefined))
      })
    },
    async children (path, options = {}) {
      assertPath(path)
      return await read(call, `children ${path}`, options, (client, watcher, done) => {
        client.getChildren(path, watcher, done)
      })
    },
    async multi (ops, options) {
      return await call(sendMulti(ops, acl), options)
    },
    async create (path, data, options = {}) {
      assertPath(path)
      assertSendable(data)
      const send: Send<unknown> = (client, done) => client.create(path, data, acl, modeOf(options), done)
      return await outcome(call(send, options), { NODE_EXISTS: 'exists', NO_NODE: 'no-parent' })
    },
    async remove (path, options = {}) {
      assertPath(path)
      const send: Send<unknown> = (client, done) => {
        client.remove(path, options.version ?? ANY_VERSION, (error) => done(error, null))
      }
      return await outcome(call(send, options), { NO_NODE: 'absent', BAD_VERSION: 'bad-version' })
    }
  }
}

type Read<T> = (
  client: Parameters<Send<T>>[0], watcher: (() => void) | undefined, done: (error: Failure | null, value?: T) => void
) => void

async function read<T> (
  call: Call, key: string, { watch, ...options }: ReadOptions, send: Read<T>
): Promise<T | undefined> {
  const found = call<T | undefined>((client, done, watches) => {
    const watcher = watch && watches.watcher(key)
    send(client, watcher, (error, value) => {
      // Arm within the package's callback, since answer and event may arrive in one piece.
      if (!error && watch && watcher) watches.arm(key, watcher, watch)
      done(error, value)
    })
  }, options)
  try {
    return await found
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === 'NO_NODE') return undefined
    throw error
  }
}

/** @param expected results for the caller, by the name of ZooKeeper's exception */
async function outcome<T extends string> (work: Promise<unknown>, expected: Record<string, T>): Promise<T | 'ok'> {
  try {
    await work
    return 'ok'
  } catch (error) {
    const word = error instanceof ZooKeeperError ? expected[error.code] : undefined
    if (word === undefined) throw error
    return word
  }
}

function toStat (stat: Stat): ZooKeeperStat {
  return {
    version: stat.version,
    czxid: stat.czxid.toString('hex'),
    mtime: Number(stat.mtime.readBigInt64BE()),
    ephemeralOwner: stat.ephemeralOwner.toString('hex'),
    numChildren: stat.numChildren,
    cversion: stat.cversion
  }
}
