import type { ZooKeeperOp } from '../../../lib/zookeeper-client/client.js'

export interface TreeNode {
  data: Buffer
  version: number
  cversion: number
  /** Number of the transaction that created the znode. */
  czxid: number
  mtime: number
  /** Session that owns the znode; '' for none. */
  owner: string
  children: Set<string>
}

/** Changes of one operation. */
export interface Change {
  path: string
  before: TreeNode | undefined
  after: TreeNode | undefined
}

const split = (path: string) => {
  const at = path.lastIndexOf('/')
  return { parent: path.slice(0, at) || '/', name: path.slice(at + 1) }
}

/** The znodes of one ZooKeeper server. */
export class Tree {
  readonly #nodes = new Map<string, TreeNode>([['/', newNode(0, 0)]])

  get (path: string): TreeNode | undefined {
    return this.#nodes.get(path)
  }

  /** @returns the name of the ZooKeeper exception */
  refusal (op: ZooKeeperOp): string | undefined {
    const node = this.get(op.path)
    if (op.type === 'create') {
      const parent = this.get(split(op.path).parent)
      if (parent === undefined) return 'NO_NODE'
      if (node !== undefined) return 'NODE_EXISTS'
      return parent.owner === '' ? undefined : 'NO_CHILDREN_FOR_EPHEMERALS'
    }
    if (node === undefined) return 'NO_NODE'
    if (op.version !== undefined && op.version !== -1 && op.version !== node.version) return 'BAD_VERSION'
    return op.type === 'remove' && node.children.size > 0 ? 'NOT_EMPTY' : undefined
  }

  /** Applies an operation. Znodes are never changed in place, so the result can be undone. */
  apply (op: ZooKeeperOp, owner: string, zxid: number, now: number): Change[] {
    const before = this.get(op.path)
    if (op.type === 'check') return []
    if (op.type === 'set') return [this.#put(op.path, { ...before ?? newNode(zxid, now), data: op.data, mtime: now }, true)]
    const { parent, name } = split(op.path)
    const above = this.get(parent) ?? newNode(zxid, now)
    const children = new Set(above.children)
    if (op.type === 'create') {
      children.add(name)
      const made = { ...newNode(zxid, now), data: op.data, owner: op.ephemeral === true ? owner : '' }
      return [this.#put(parent, { ...above, children, cversion: above.cversion + 1 }), this.#put(op.path, made)]
    }
    children.delete(name)
    return [this.#put(parent, { ...above, children, cversion: above.cversion + 1 }), this.#put(op.path, undefined)]
  }

  undo (changes: Change[]): void {
    for (const { path, before } of [...changes].reverse()) this.#put(path, before)
  }

  ownedBy (session: string): string[] {
    return [...this.#nodes].flatMap(([path, { owner }]) => owner === session ? path : [])
  }

  #put (path: string, node: TreeNode | undefined, isNewVersion = false): Change {
    const before = this.#nodes.get(path)
    const after = node && isNewVersion ? { ...node, version: node.version + 1 } : node
    if (after === undefined) this.#nodes.delete(path)
    else this.#nodes.set(path, after)
    return { path, before, after }
  }
}

function newNode (czxid: number, mtime: number): TreeNode {
  return { data: Buffer.alloc(0), version: 0, cversion: 0, czxid, mtime, owner: '', children: new Set() }
}
