import { splitMember } from '../nodes/member.js'
import { MAX_RECORD_BYTES, toDraining } from '../nodes/node-record.js'
import { MAX_NODES, readEntry } from '../nodes/node-entry.js'
import { createSingleFlight } from '../../common/single-flight.js'
import { ZooKeeperError } from '../../zookeeper-client/error.js'
import { ensurePath } from './layout.js'
import { createMissedNodes } from './missed-nodes.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../common/clock.js'
import type { NodeEntry, ParseRecord } from '../nodes/node-entry.js'
import type { SingleFlight } from '../../common/single-flight.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { ZooKeeperLayout } from './layout.js'
import type { OrderedIds } from './orders.js'
import type { NodeView } from '../../../types/registry.js'

/** Most records that are read at once. */
const AT_ONCE = 64
const READ_MS = 1000
/** Shortest time between two readings, however often nodes change. */
const COALESCE_MS = 100
/** Time between two full readings, since watches are only hints. */
const READ_ALL_MS = 30_000

export interface ZooKeeperViewOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  orders: OrderedIds
  parse: ParseRecord
  clock: Clock
  /** Milliseconds for which nodes that vanished together are not considered dead. */
  doubtMs (): number
  log (): FastifyBaseLogger | undefined
  /** Called once for each text of a node that cannot be read. */
  onRejected (node: string, reason: string): void
  onRead (nodes: readonly NodeView[]): void
  /** Called when a watch fired and the nodes should be read again. */
  onHint (): void
}

/** The nodes at the latest successful reading. A reading fetches only changes. */
export interface ZooKeeperView extends SingleFlight {
  /** Nodes of the latest reading, and missed ones that are not considered dead so far. */
  nodes (): readonly NodeView[]
  ageMs (): number | undefined
  /** Whether there are more nodes than are read. */
  isCut (): boolean
  /** Begins a full reading, since a new connection has no watches and earlier changes were not seen. */
  forget (): void
  /**
   * Whether missed nodes are not considered dead so far: more than half, and at least two, vanished in one change, or
   * any vanished without a connection or soon after, as happens if the ensemble was suspended.
   */
  isDoubtful (): boolean
  /** Whether this member is among the missed nodes. */
  isMissed (member: string): boolean
  /** Whether the latest reading showed this member. */
  has (member: string): boolean
  nodeOf (member: string): Promise<NodeView | undefined>
}

export function createZooKeeperView (options: ZooKeeperViewOptions): ZooKeeperView {
  const { client, layout, orders, parse, clock, doubtMs, log, onRejected, onRead, onHint } = options
  let entries = new Map<string, NodeEntry>()
  const stale = new Set<string>()
  const watchers = new Map<string, () => void>()
  let nodes: readonly NodeView[] = []
  const missed = createMissedNodes({ clock, doubtMs, log })
  let readAt: number | undefined
  let isCut = false
  let readAllAt = -Infinity
  let cancelHint: (() => void) | undefined

  function hint (): void {
    cancelHint ??= clock.after(COALESCE_MS, () => {
      cancelHint = undefined
      onHint()
    })
  }

  function watcherOf (member: string): () => void {
    let watcher = watchers.get(member)
    if (watcher === undefined) {
      watcher = () => {
        stale.add(member)
        hint()
      }
      watchers.set(member, watcher)
    }
    return watcher
  }

  async function readMembers (): Promise<string[]> {
    const children = await client.children(layout.nodes, { watch: hint, ms: READ_MS })
    if (children !== undefined) {
      const members = children.flatMap((child) => layout.memberOf(child) ?? [])
      isCut = members.length > MAX_NODES
      return members.slice(0, MAX_NODES)
    }
    // A path created here would belong to this client, and its credentials would shut out the program behind the list.
    if (!layout.isListed) await ensurePath(client, layout.nodes, { ms: READ_MS })
    return []
  }

  async function readRecord (member: string): Promise<NodeEntry | undefined> {
    stale.delete(member)
    const options = { watch: watcherOf(member), ms: READ_MS }
    const found = await client.get(layout.nodePath(member), options).catch(nullIfDenied)
    if (found === undefined) return undefined
    return readEntry(member, found && textOf(found.data), entries.get(member), parse, onRejected)
  }

  async function read (): Promise<void> {
    const [members] = await Promise.all([readMembers(), orders.refresh({ ms: READ_MS })])
    const isAll = clock.monotonic() - readAllAt > READ_ALL_MS
    const toRead = members.filter((member) => isAll || stale.has(member) || !entries.has(member))
    const found = new Map(members.flatMap((member) => {
      const entry = entries.get(member)
      return entry === undefined ? [] : [[member, entry] as const]
    }))
    for (let at = 0; at < toRead.length; at += AT_ONCE) {
      const batch = toRead.slice(at, at + AT_ONCE)
      try {
        const read = await Promise.all(batch.map(readRecord))
        for (const [index, entry] of read.entries()) {
          const member = batch[index] ?? ''
          if (entry === undefined) found.delete(member)
          else found.set(member, entry)
        }
      } catch (error) {
        for (const member of batch) stale.add(member)
        throw error
      }
    }
    if (isAll) readAllAt = clock.monotonic()
    const gone = [...entries.keys()].filter((member) => !found.has(member))
    const vanished = areMany(gone) || missed.isSilent() ? await vanishedOf(gone) : []
    take(found, areMany(vanished) || missed.isSilent() ? vanished : [])
  }

  const areMany = (members: string[]) => members.length >= 2 && members.length > entries.size / 2

  /** Members that vanished: a node that left gave up its id, while one with a new incarnation had vanished before. */
  async function vanishedOf (members: string[]): Promise<string[]> {
    if (layout.isListed) return members
    const ids = await Promise.all(members.map(async (member) => {
      const { id } = splitMember(member)
      return await client.exists(layout.idPath(id), { ms: READ_MS }) === undefined ? [] : member
    }))
    return ids.flat()
  }

  /** @param vanished nodes not considered dead: too many at once, or too soon after a silence */
  function take (found: Map<string, NodeEntry>, vanished: string[]): void {
    const living = [...found.values()].flatMap(({ view }) =>
      view !== undefined && orders.has(view.id) ? toDraining(view) : view ?? [])
    const lost = vanished.flatMap((member) => entries.get(member)?.lastGood ?? [])
    nodes = [...missed.update(living, lost, areMany(vanished)), ...living]
    for (const member of entries.keys()) if (!found.has(member)) watchers.delete(member)
    entries = found
    readAt = clock.monotonic()
    onRead(living)
  }

  return {
    nodes: () => nodes,
    isCut: () => isCut,
    ageMs: () => readAt === undefined ? undefined : Math.round(clock.monotonic() - readAt),
    ...createSingleFlight(read),
    forget () {
      if (readAt !== undefined) missed.beginSilence()
      readAllAt = -Infinity
      cancelHint?.()
      cancelHint = undefined
    },
    isDoubtful: missed.isDoubtful,
    isMissed: missed.has,
    has: (member) => entries.has(member),
    async nodeOf (member) {
      const known = entries.get(member)
      if (known !== undefined) return known.lastGood
      return (await readRecord(member))?.lastGood
    }
  }
}

export const textOf = (data: Buffer) => data.length > MAX_RECORD_BYTES ? data.length : data.toString()

/** Returns `null` for a record that this client may not read, which then affects only its node. */
function nullIfDenied (error: unknown): null {
  if (error instanceof ZooKeeperError && error.code === 'NO_AUTH') return null
  throw error
}
