import type { ZooKeeperOp } from '../../../lib/zookeeper-client/client.js'

export interface TreeNode {
  data: Buffer
  version: number
  cversion: number
  /** Number of the transaction that made it. */
  czxid: number
  mtime: number
  /** The session that it goes with; '' for none. */
  owner: string
  children: Set<string>
}

/** What one operation changed. */
export interface Change {
  path: string
  before: TreeNode | undefined
  after: TreeNode | undefined
}

const split = (path: string) => {
  const at = path.lastIndexOf('/')
  return { parent: path.slice(0, at) || '/', name: path.slice(at + 1) }
}

/** The nodes as one server of ZooKeeper has them. */
export class Tree {
  readonly #nodes = new Map<string, TreeNode>([['/', newNode(0, 0)]])

  get (path: string): TreeNode | undefined {
    return this.#nodes.get(path)
  }

  /** @returns the name of ZooKeeper's exception */
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

  /** Nodes are never changed in place, so what it returns can be undone. */
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
