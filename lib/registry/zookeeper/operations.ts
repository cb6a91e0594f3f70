import { memberOf, splitMember } from '../nodes/member.js'
import { parseRecord } from '../nodes/node-entry.js'
import { toExplanation } from '../nodes/explanation.js'
import { checkOrder, checkOrderedId, parseOrder } from '../nodes/node-order.js'
import { alreadyThere, assertMovable, checkMove } from '../nodes/room-move.js'
import { toOperatedNode, toOperatedRoom, withGone } from '../nodes/operated-node.js'
import { unavailable, UnreadableBindingError } from '../../common/unavailable.js'
import { isMove, parseBinding } from './binding.js'
import { parseHistory } from './history.js'
import { ensurePath } from './layout.js'
import { OPERATOR_CALL_MS } from './moves.js'
import { idOf } from './orders.js'
import { textOf } from './view.js'
import type { Binding } from './binding.js'
import type { Clock } from '../../common/clock.js'
import type { ParseRecord } from '../nodes/node-entry.js'
import type { Ending } from '../../common/deadline.js'
import type { ZooKeeperClient, ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { ZooKeeperLayout } from './layout.js'
import type { MoveTimes } from './move-times.js'
import type { MoveRoom } from './moves.js'
import type {
  NodeOrder, OperatedNode, OperatedRoom, RegistryOperations, RoomExplanation
} from '../../../types/operations.js'

/** Most znodes that are read at once. */
const AT_ONCE = 64
/** Bounds the retries of a write that others beat to the order. */
const MAX_TRIES = 8
const NOTHING = Buffer.alloc(0)

export interface ZooKeeperOperationsOptions {
  client: ZooKeeperClient
  layout: ZooKeeperLayout
  moves: MoveTimes
  moveRoom: MoveRoom
  parse?: ParseRecord
  clock: Pick<Clock, 'wall'>
  /** Connects if that is needed, and limits the work. */
  inTime<T> (work: (limit: Ending) => Promise<T>): Promise<T>
}

export function createZooKeeperOperations (
  { client, layout, moves, moveRoom, parse = parseRecord, clock, inTime }: ZooKeeperOperationsOptions
): RegistryOperations {
  /** Reads the data of znodes; those that are gone by then are left out. */
  async function readAll<T> (
    names: string[], toPath: (name: string) => string, take: (name: string, data: Buffer) => T, signal: Ending
  ): Promise<T[]> {
    const results: T[] = []
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const read = await Promise.all(names.slice(at, at + AT_ONCE).map(async (name) => {
        const found = await client.get(toPath(name), { signal, ms: OPERATOR_CALL_MS })
        return found === undefined ? [] : [take(name, found.data)]
      }))
      results.push(...read.flat())
    }
    return results
  }

  async function readOrders (signal: Ending): Promise<Map<string, NodeOrder>> {
    const children = await client.children(layout.orders, { signal, ms: OPERATOR_CALL_MS }) ?? []
    const take = (id: string, data: Buffer) => [id, parseOrder(data.toString())] as const
    return new Map(await readAll(children.map(idOf), layout.orderPath, take, signal))
  }

  async function readLiving (orders: Map<string, NodeOrder>, signal: Ending): Promise<OperatedNode[]> {
    const children = await client.children(layout.nodes, { signal, ms: OPERATOR_CALL_MS }) ?? []
    const members = children.flatMap((child) => layout.memberOf(child) ?? [])
    const take = (member: string, data: Buffer) =>
      toOperatedNode({ member, text: textOf(data), parse, orders, hasLapsed: false })
    return await readAll(members, layout.nodePath, take, signal)
  }

  /** Nodes that still own their ids: a node that left gave up its id. */
  async function readRegistered (signal: Ending): Promise<Map<string, string>> {
    const children = layout.isListed ? [] : await client.children(layout.ids, { signal, ms: OPERATOR_CALL_MS }) ?? []
    const take = (id: string, data: Buffer) => [id, memberOf({ id, incarnation: data.toString() })] as const
    return new Map(await readAll(children.map(idOf), layout.idPath, take, signal))
  }

  /** Rooms that cannot be read, or are bound to no node, are left out. */
  async function readRooms (bucket: string, signal: Ending): Promise<OperatedRoom[]> {
    const keys = await client.children(layout.bucketPath(bucket), { signal, ms: OPERATOR_CALL_MS }) ?? []
    const read = await readAll(keys, layout.roomPath, (key, data) => {
      const { member, state = '' } = tryToParse(data.toString()) ?? {}
      return member === undefined ? [] : [toOperatedRoom(key, member, state)]
    }, signal)
    return read.flat()
  }

  /** Writes the order and, in the same step, the parent whose version every choice of a node checks. */
  async function write (id: string, order: NodeOrder | null, signal: Ending): Promise<boolean> {
    const path = layout.orderPath(id)
    const found = await client.exists(path, { signal, ms: OPERATOR_CALL_MS })
    const ops: ZooKeeperOp[] = [{ type: 'set', path: layout.orders, data: NOTHING }]
    const data = Buffer.from(JSON.stringify(order))
    if (order === null && found === undefined) return true
    if (order === null) ops.push({ type: 'remove', path, version: found?.version })
    else if (found === undefined) ops.push({ type: 'create', path, data })
    else ops.push({ type: 'set', path, data, version: found.version })
    const failure = await client.multi(ops, { signal, ms: OPERATOR_CALL_MS })
    if (failure?.index === 0) await ensurePath(client, layout.orders, { signal, ms: OPERATOR_CALL_MS })
    return failure === undefined
  }

  async function readNodes (signal: Ending): Promise<OperatedNode[]> {
    const [orders, registered] = await Promise.all([readOrders(signal), readRegistered(signal)])
    const living = await readLiving(orders, signal)
    const found = new Map<string, OperatedNode>()
    for (const [id, member] of registered) {
      const order = orders.get(id)
      found.set(id, { id, incarnation: splitMember(member).incarnation, state: 'lapsed', ...order && { order } })
    }
    for (const node of living) found.set(node.id, node)
    return withGone(found, orders)
  }

  async function explainBinding (
    key: string, binding: Binding, signal: Ending
  ): Promise<RoomExplanation['binding']> {
    const { member, state, claims, target } = binding
    if (member === undefined) return undefined
    const isAlive = await client.exists(layout.nodePath(member), { signal, ms: OPERATOR_CALL_MS }) !== undefined
    const told = isMove(binding) ? isAlive && moves.isWaiting(binding) ? 'moving' : 'moved' : state
    return Object.assign(toOperatedRoom(key, member, told), {
      claims: isMove(binding) ? 0 : claims, isAlive, ...target && { target }
    })
  }

  const operations: RegistryOperations = {
    orders: async () => await inTime(readOrders),
    nodes: async () => await inTime(readNodes),
    async * rooms ({ node } = {}) {
      const buckets = await inTime(async (signal) =>
        await client.children(layout.rooms, { signal, ms: OPERATOR_CALL_MS })) ?? []
      for (const bucket of buckets) {
        for (const room of await inTime(async (signal) => await readRooms(bucket, signal))) {
          if (node === undefined || room.node === node) yield room
        }
      }
    },
    async explain (room, { history: tellsHistory = true } = {}) {
      const key = layout.roomKey(room)
      return await inTime(async (signal) => {
        const [found, nodes] = await Promise.all([
          client.get(layout.roomPath(key), { signal, ms: OPERATOR_CALL_MS }), readNodes(signal)
        ])
        const parsed = found === undefined ? undefined : tryToParse(found.data.toString())
        const { endedAt = 0, history } = parsed ?? {}
        return toExplanation({
          key,
          binding: parsed && await explainBinding(key, parsed, signal),
          isUnreadable: found !== undefined && parsed === undefined,
          endedAt,
          settlingMs: 0,
          nodes,
          history: tellsHistory ? parseHistory(history) : []
        })
      })
    },
    async setOrder (id, order) {
      checkOrderedId(id)
      const given = order === null ? null : { at: Math.floor(clock.wall()), ...checkOrder(id, order) }
      await inTime(async (signal) => {
        for (let tries = 0; tries < MAX_TRIES; tries++) if (await write(id, given, signal)) return
        throw unavailable('the order kept changing')
      })
    },
    async move (room, move) {
      checkMove(move)
      if (layout.isListed) throw new TypeError('listed nodes cannot be told to give up a room')
      assertMovable(await operations.explain(room), move)
      const moved = await inTime(async (signal) => await moveRoom(layout.roomKey(room), move, signal))
      if (moved === 'there') throw alreadyThere(move.to ?? '')
      return moved
    }
  }
  return operations
}

/** @returns undefined for a text that cannot be read */
function tryToParse (text: string): Binding | undefined {
  try {
    return parseBinding(text)
  } catch (error) {
    if (error instanceof UnreadableBindingError) return undefined
    throw error
  }
}
