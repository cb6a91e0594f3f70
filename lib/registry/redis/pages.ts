import { memberOf } from '../nodes/member.js'
import { LISTED_INCARNATION, MAX_RECORD_BYTES } from '../nodes/node-record.js'
import { READ_LISTED, READ_NODES } from './scripts/gateway.js'
import type { RecordText } from '../nodes/node-entry.js'
import type { RedisStore } from './store.js'
import type { ListedNodes } from '../../../types/registry.js'

const PAGE_SIZE = 500
const PAGE_MS = 300

export interface NodePage {
  epoch: string
  /** Remaining milliseconds of the settling. */
  settlingMs: number
  isReplidKnown: boolean
  /** Milliseconds, by the store's clock. */
  now: number
  /** Milliseconds; the longest one of all processes. */
  lease: number
  nodes: PagedNode[]
}

export interface PagedNode {
  member: string
  text: RecordText
  /** Whether the node is under an order of an operator. */
  isOrdered: boolean
  /** End of the lease, in milliseconds by the store's clock. Left out: another program lists the node. */
  leaseEnds?: number
}

/** Reads all nodes, page by page; a node may appear twice. */
export type ReadPages = () => AsyncGenerator<NodePage>

/** One page of an answer. Numbers are text if the client has `stringNumbers`. */
type Flat = Array<string | number | Array<string | number> | null>
type Numeric = number | string
type Header = [
  epoch: string, settlingMs: Numeric, isKnown: Numeric, memory: string, now: Numeric, lease: Numeric, ...rest: Flat
]

/**
 * Reads nodes that keep a lease.
 *
 * @param lowest end of a lease; '' for now
 */
export function leasedPages (store: RedisStore, lowest = ''): ReadPages {
  return async function * () {
    let from = lowest
    let skip = 0
    for (let size = PAGE_SIZE; size === PAGE_SIZE;) {
      const answer = await store.run(READ_NODES, { args: [from, skip, PAGE_SIZE, MAX_RECORD_BYTES], ms: PAGE_MS })
      const { rest, ...page } = takeHeader(store, answer)
      const entries = chunk(rest, 4).map(([member, ends, text = null, isOrdered]) => ({
        node: {
          member: String(member), text: toText(text), isOrdered: Number(isOrdered) === 1, leaseEnds: Number(ends)
        },
        ends: String(ends)
      }))
      yield { nodes: entries.map(({ node }) => node), ...page }
      size = entries.length
      const last = entries.at(-1)?.ends ?? from
      skip = entries.filter(({ ends }) => ends === last).length + (last === from ? skip : 0)
      from = last
    }
  }
}

/** Reads nodes that another program lists. */
export function listedPages (store: RedisStore, { hash = '', keys = '' }: ListedNodes): ReadPages {
  return async function * () {
    let cursor = '0'
    do {
      const answer = await store.run(READ_LISTED, {
        args: [hash, keys, cursor, PAGE_SIZE, MAX_RECORD_BYTES], ms: PAGE_MS
      })
      const { rest: [next, ...rest], ...page } = takeHeader(store, answer)
      yield {
        nodes: chunk(rest, 3).map(([id, text = null, isOrdered]) => ({
          member: memberOf({ id: String(id), incarnation: LISTED_INCARNATION }),
          text: toText(text),
          isOrdered: Number(isOrdered) === 1
        })),
        ...page
      }
      cursor = String(next)
    } while (cursor !== '0')
  }
}

function takeHeader (store: RedisStore, answer: unknown): Omit<NodePage, 'nodes'> & { rest: Flat } {
  // The scripts document this type.
  const [epoch, settlingMs, isKnown, memory, now, lease, ...rest] = answer as Header
  store.remember(memory)
  return {
    epoch,
    settlingMs: Number(settlingMs),
    isReplidKnown: Number(isKnown) === 1,
    now: Number(now),
    lease: Number(lease),
    rest
  }
}

function toText (record: Flat[number]): RecordText {
  return Array.isArray(record) ? Number(record[0]) : record
}

function chunk (flat: Flat, size: number): Flat[] {
  return Array.from({ length: flat.length / size }, (_value, at) => flat.slice(at * size, (at + 1) * size))
}
