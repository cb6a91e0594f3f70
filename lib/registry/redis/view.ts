import { MAX_NODES, readEntry } from '../nodes/node-entry.js'
import { toDraining } from '../nodes/node-record.js'
import { createSingleFlight } from '../../common/single-flight.js'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../common/clock.js'
import type { NodeEntry, ParseRecord, RecordText } from '../nodes/node-entry.js'
import type { SingleFlight } from '../../common/single-flight.js'
import type { NodePage, ReadPages } from './pages.js'
import type { NodeView } from '../../../types/registry.js'

export interface RedisViewOptions {
  readPages: ReadPages
  parse: ParseRecord
  clock: Clock
  log (): FastifyBaseLogger | undefined
  /** Called once for each text of a node that cannot be read. */
  onRejected (node: string, reason: string): void
  onRead (nodes: readonly NodeView[]): void
}

/** The living nodes at the latest successful reading. */
export interface RedisView extends SingleFlight {
  /** Nodes of the latest reading, and missing ones while the store cannot know which nodes are dead. */
  nodes (): readonly NodeView[]
  /** Remaining milliseconds of the settling at the latest reading. */
  settlingMs (): number
  ageMs (): number | undefined
  /** Whether there are more nodes than are read. */
  isCut (): boolean
  /** Epoch at the latest reading. */
  epoch (): string | undefined
  /** Returns the node of a member with this record in the store, or with its last good one. */
  nodeOf (member: string, text: unknown): NodeView | undefined
}

export function createRedisView ({ readPages, parse, clock, log, onRejected, onRead }: RedisViewOptions): RedisView {
  let entries = new Map<string, NodeEntry>()
  let nodes: readonly NodeView[] = []
  let readAt: number | undefined
  let epoch: string | undefined
  let settlingMs = 0
  let isReplidKnown = true
  let isCut = false

  const readKnown = (member: string, text: RecordText) =>
    readEntry(member, text, entries.get(member), parse, onRejected)

  async function read (): Promise<void> {
    const found = new Map<string, NodeEntry>()
    const ordered = new Set<string>()
    for await (const page of readPages()) {
      readHeader(page)
      for (const { member, text, isOrdered } of page.nodes) {
        found.set(member, readKnown(member, text))
        if (isOrdered) ordered.add(member)
      }
      if (found.size > MAX_NODES) break
    }
    entries = found
    isCut = found.size > MAX_NODES
    const living = [...found].flatMap(([member, { view }]) =>
      view !== undefined && ordered.has(member) ? toDraining(view) : view ?? []).slice(0, MAX_NODES)
    // A store that lost its memory or was unreachable has to wait for nodes to return.
    const missing = settlingMs > 0 ? nodes.filter(({ id }) => !living.some((node) => node.id === id)) : []
    nodes = [...missing, ...living]
    readAt = clock.monotonic()
    onRead(living)
  }

  function readHeader (page: NodePage): void {
    settlingMs = page.settlingMs
    if (epoch !== undefined && page.epoch !== epoch) {
      const settlingSeconds = Math.ceil(settlingMs / 1000)
      log()?.warn({ settlingSeconds }, 'registry reset detected: no new rooms until it has settled')
    }
    epoch = page.epoch
    if (isReplidKnown && !page.isReplidKnown) {
      log()?.warn('Redis does not let this user read INFO replication: a fail-over that loses writes stays unnoticed')
    }
    isReplidKnown = page.isReplidKnown
  }

  return {
    nodes: () => nodes,
    settlingMs: () => settlingMs,
    isCut: () => isCut,
    epoch: () => epoch,
    ageMs: () => readAt === undefined ? undefined : Math.round(clock.monotonic() - readAt),
    ...createSingleFlight(read),
    nodeOf (member, text) {
      if (typeof text !== 'string') return entries.get(member)?.lastGood
      const entry = readKnown(member, text)
      entries.set(member, entry)
      return entry.lastGood
    }
  }
}
