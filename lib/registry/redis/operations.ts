import { parseRecord } from '../nodes/node-entry.js'
import { toExplanation } from '../nodes/explanation.js'
import { checkOrder, checkOrderedId, parseOrder } from '../nodes/node-order.js'
import { alreadyThere, assertMovable, checkMove } from '../nodes/room-move.js'
import { toOperatedNode, toOperatedRoom, withGone } from '../nodes/operated-node.js'
import { readHistory, withEpoch } from './history.js'
import { leasedPages, listedPages } from './pages.js'
import { END_ORDER, EXPLAIN, MOVE, READ_ORDERS, READ_ROOMS, SET_ORDER } from './scripts/operator.js'
import type { ParseRecord } from '../nodes/node-entry.js'
import type { RedisStore } from './store.js'
import type { RoomFacts } from '../nodes/explanation.js'
import type { OperatedNode, RegistryOperations } from '../../../types/operations.js'
import type { ListedNodes, RoomKey } from '../../../types/registry.js'

const CALL_MS = 2000
const PAGE_SIZE = 1000
/** Before all leases: nodes that lapsed are on the list for a minute. */
const ALL = '-inf'

export interface RedisOperationsOptions {
  store: RedisStore
  listed: ListedNodes | undefined
  parse?: ParseRecord
}

export function createRedisOperations (
  { store, listed, parse = parseRecord }: RedisOperationsOptions
): RegistryOperations {
  const readPages = listed === undefined ? leasedPages(store, ALL) : listedPages(store, listed)

  async function orders () {
    // READ_ORDERS documents this type.
    const flat = await store.run(READ_ORDERS, { args: [], ms: CALL_MS }) as string[]
    return new Map(flat.flatMap((id, at) => at % 2 === 0 ? [[id, parseOrder(flat[at + 1] ?? '')] as const] : []))
  }

  async function readNodes (): Promise<OperatedNode[]> {
    const given = await orders()
    const found = new Map<string, OperatedNode>()
    for await (const { nodes, now, lease } of readPages()) {
      for (const { member, text, leaseEnds } of nodes) {
        const hasLapsed = leaseEnds !== undefined && leaseEnds <= now
        const node = toOperatedNode({ member, text, parse, orders: given, hasLapsed })
        if (leaseEnds !== undefined) node.heardAgo = Math.max(0, lease - (leaseEnds - now))
        // Of an id whose process was replaced, the lapsed registration is history.
        if (!hasLapsed || found.get(node.id) === undefined) found.set(node.id, node)
      }
    }
    return withGone(found, given)
  }

  /** The facts of a room, and the moment at which the epoch began. */
  async function readFacts (room: RoomKey): Promise<Omit<RoomFacts, 'history'> & { began: number }> {
    const roomKey = store.room(room)
    const [answer, nodes] = await Promise.all([
      store.run(EXPLAIN, { args: [], rooms: [roomKey], ms: CALL_MS }), readNodes()
    ])
    // EXPLAIN documents this type.
    const [word, member, state, claims, endsIn, isAlive, endedAt, settlingMs, target = '', began] = answer as string[]
    const key = store.nameOf(roomKey)
    const binding = word !== 'current'
      ? undefined
      : Object.assign(toOperatedRoom(key, String(member), String(state)), {
        claims: Number(claims), isAlive: Number(isAlive) === 1, endsIn: Number(endsIn), ...target !== '' && { target }
      })
    return {
      key,
      binding,
      isUnreadable: word === 'unreadable',
      endedAt: Number(endedAt),
      settlingMs: Number(settlingMs),
      nodes,
      began: Number(began)
    }
  }

  return {
    orders,
    nodes: readNodes,
    async * rooms ({ node } = {}) {
      let cursor = '0'
      do {
        // READ_ROOMS documents this type.
        const answer = await store.run(READ_ROOMS, { args: [cursor, PAGE_SIZE], ms: CALL_MS }) as string[]
        for (let at = 1; at < answer.length; at += 3) {
          const room = toOperatedRoom(String(answer[at]), String(answer[at + 1]), String(answer[at + 2]))
          if (node === undefined || room.node === node) yield room
        }
        cursor = String(answer[0])
      } while (cursor !== '0')
    },
    async explain (room, { history: tellsHistory = true } = {}) {
      const [{ began, ...facts }, events] = await Promise.all([
        readFacts(room), tellsHistory ? readHistory(store, store.room(room)) : []
      ])
      return toExplanation({ history: tellsHistory ? withEpoch(events, began) : [], ...facts })
    },
    async move (room, move) {
      const { to = '', reason, author } = checkMove(move)
      const why = JSON.stringify({ to: move.to, reason, author })
      if (listed !== undefined) throw new TypeError('listed nodes cannot be told to give up a room')
      // Without the history: to find the events of one room, the store looks through those of all.
      const { began: _began, ...facts } = await readFacts(room)
      assertMovable(toExplanation({ history: [], ...facts }), move)
      // MOVE documents this type.
      const [outcome, from] = await store.run(MOVE, {
        args: [to, why], rooms: [store.room(room)], ms: CALL_MS
      }) as string[]
      if (outcome === 'there') throw alreadyThere(to)
      if (outcome === 'none' || from === undefined) return { outcome: 'unbound' }
      return { outcome: outcome === 'moving' ? 'moving' : 'moved', from }
    },
    async setOrder (id, order) {
      checkOrderedId(id)
      const script = order === null ? END_ORDER : SET_ORDER
      const rest = order === null ? [] : [JSON.stringify(checkOrder(id, order)).slice(1)]
      await store.run(script, { args: [id, ...rest], ms: CALL_MS })
    }
  }
}
