import { memberOf, splitMember } from '../nodes/member.js'
import { hash } from 'node:crypto'
import { LISTED_INCARNATION } from '../nodes/node-record.js'
import { roomName } from '../../common/room-name.js'
import { ZooKeeperError } from '../../zookeeper-client/error.js'
import type { CallOptions, ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { RoomKey } from '../../../types/registry.js'

const NOTHING = Buffer.alloc(0)
const MAX_DEPTH = 32

/** Paths in ZooKeeper. A member is `<id>|<incarnation>`. */
export interface ZooKeeperLayout {
  /** Whether another program registers the nodes. */
  readonly isListed: boolean
  /** The parent of all nodes. */
  readonly nodes: string
  /** Path of an ephemeral znode. No path is used twice, since no incarnation is. */
  nodePath (member: string): string
  /** Inverse of `nodePath`; `undefined` for a child with a foreign name. */
  memberOf (child: string): string | undefined
  /** The parent of all ids. */
  readonly ids: string
  /** Path of a persistent znode: the incarnation that is registered under an id. */
  idPath (id: string): string
  /** The parent of all orders of operators. Each change of an order writes it, so its version stands for all. */
  readonly orders: string
  /** Path of a persistent znode: the order for a node id. */
  orderPath (id: string): string
  /** Key of a room: ids never become part of a path. */
  roomKey (room: RoomKey): string
  /** The parent of all buckets. */
  readonly rooms: string
  /** Path of a persistent znode: the rooms whose keys begin alike. */
  bucketPath (bucket: string): string
  roomPath (key: string): string
}

const BUCKET_LENGTH = 2
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export const bucketOf = (key: string): string => key.slice(0, BUCKET_LENGTH)
/** All possible buckets. */
export const BUCKETS: readonly string[] = [...BASE64URL].flatMap((first) => [...BASE64URL].map((next) => first + next))

/** @param listedPath parent of nodes that another program registers */
export function createLayout (root: string, listedPath?: string): ZooKeeperLayout {
  const nodes = listedPath ?? `${root}/nodes`
  const rooms = `${root}/rooms`
  const bucketPath = (bucket: string) => `${rooms}/${bucket}`
  const isListed = listedPath !== undefined
  return {
    isListed,
    nodes,
    ids: `${root}/ids`,
    nodePath (member) {
      const { id, incarnation } = splitMember(member)
      return isListed ? `${nodes}/${id}` : `${nodes}/${id}~${incarnation}`
    },
    memberOf (child) {
      if (isListed) return memberOf({ id: child, incarnation: LISTED_INCARNATION })
      return /^[^~|]+~[^~|]+$/.test(child) ? child.replace('~', '|') : undefined
    },
    // The suffix is needed since an id may be '.' or '..', which are no names in a path.
    idPath: (id) => `${root}/ids/${id}~`,
    orders: `${root}/orders`,
    orderPath: (id) => `${root}/orders/${id}~`,
    roomKey: (room) => hash('sha256', roomName(room), 'base64url'),
    rooms,
    bucketPath,
    roomPath: (key) => `${bucketPath(bucketOf(key))}/${key}`
  }
}

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

/** Creates a persistent znode, and missing ones above it; the options apply to each call. */
export async function ensurePath (
  client: ZooKeeperClient, path: string, options: CallOptions = {}, depth = 0
): Promise<void> {
  if (path === '' || depth > MAX_DEPTH) return
  if (await client.create(path, NOTHING, options) !== 'no-parent') return
  await ensurePath(client, parentOf(path), options, depth + 1)
  if (await client.create(path, NOTHING, options) !== 'no-parent') return
  throw new ZooKeeperError('NO_NODE', 'the path after the servers in "hosts" does not exist: create it')
}
