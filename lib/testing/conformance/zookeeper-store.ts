import { systemClock } from '../../common/clock.js'
import { withDeadline } from '../../common/deadline.js'
import { isCatalogued } from '../../common/is-catalogued.js'
import { UnreadableBindingError } from '../../common/unavailable.js'
import { createZooKeeperClient } from '../../zookeeper-client/client.js'
import { createChooser } from '../../registry/nodes/chooser.js'
import { memberOf } from '../../registry/nodes/member.js'
import { parseRecord } from '../../registry/nodes/node-entry.js'
import { zookeeperRegistry } from '../../registry/zookeeper.js'
import { createAssigner } from '../../registry/zookeeper/assigner.js'
import { parseBinding, toText } from '../../registry/zookeeper/binding.js'
import { createCommit } from '../../registry/zookeeper/commits.js'
import { createLayout } from '../../registry/zookeeper/layout.js'
import { createMoveTimes } from '../../registry/zookeeper/move-times.js'
import { createMoveRoom } from '../../registry/zookeeper/moves.js'
import { createOrderedIds } from '../../registry/zookeeper/orders.js'
import { createRooms } from '../../registry/zookeeper/room-records.js'
import { createSweep } from '../../registry/zookeeper/sweep.js'
import { createZooKeeperView } from '../../registry/zookeeper/view.js'
import { StoreUnavailable } from './result.js'
import type { Ending } from '../../common/deadline.js'
import type { Binding as Content } from '../../registry/zookeeper/binding.js'
import type { RoomState } from '../../registry/zookeeper/room-records.js'
import type { ZooKeeperOp } from '../../zookeeper-client/client.js'
import type { RoomKey } from '../../../types/registry.js'
import type { Losses } from './faults.js'
import type { CommonStore, OpenStore, Registration } from './store.js'

const ROOT = '/cobrowse'
const CALL_MS = 5000
/** The runner's own reading must not end with a short session of the check. */
const SESSION_MS = 10_000
/** Bounds the retries of a write that the node beats to a room. */
const MAX_TRIES = 20
const NO_OWNER = /^0*$/

/** The znodes of a registration. */
export interface Znodes {
  isNodeEphemeral: boolean
  isIdEphemeral: boolean
}

/** ZooKeeper, with further access of an operator. */
export interface ZooKeeperTestStore extends CommonStore {
  readonly name: 'ZooKeeper'
  /** `undefined` if one of them is missing. */
  znodesOf (node: Registration): Promise<Znodes | undefined>
  /**
   * Writes a room without a change of its meaning, as a gateway does.
   *
   * @returns whether the room is still without a claim
   */
  touch (room: RoomKey): Promise<boolean>
  /**
   * Writes the room, unless its text is no longer this one.
   *
   * @returns the new text; `undefined` if another client wrote the room
   */
  write (room: RoomKey, text: string, content: Pick<Content, 'member' | 'state'>): Promise<string | undefined>
  /** Does the same by a deletion and a new znode, in one transaction. */
  replace (room: RoomKey, text: string, content: Pick<Content, 'member' | 'state'>): Promise<string | undefined>
}

export interface ZooKeeperStoreOptions {
  hosts: string
  /** Milliseconds. */
  times: { lease: number, linger: number }
}

/** @throws TypeError if `hosts` is no list of servers */
export function openZooKeeper ({ hosts, times: { lease, linger } }: ZooKeeperStoreOptions): OpenStore {
  const registry = zookeeperRegistry({ hosts, sessionTimeout: lease, linger: linger / 1000 })
  const client = createZooKeeperClient({
    hosts, sessionTimeout: SESSION_MS, callMs: CALL_MS, clock: systemClock, log: () => undefined
  })
  const layout = createLayout(ROOT)
  const rooms = createRooms(client, layout)
  const orders = createOrderedIds(client, layout)
  const sweep = createSweep({ client, layout, rooms, lingerMs: linger, clock: systemClock })
  const chooser = createChooser()
  const view = createZooKeeperView({
    client,
    layout,
    orders,
    parse: parseRecord,
    clock: systemClock,
    // The runner itself lets nodes vanish.
    doubtMs: () => 0,
    log: () => undefined,
    onRejected: () => {},
    onRead: (nodes) => chooser.update(nodes),
    onHint: () => {}
  })
  const commit = createCommit({ client, layout, clock: systemClock })
  const clock = systemClock
  const moves = createMoveTimes({ client, clock, lingerMs: linger })
  const assigner = createAssigner({
    client, commit, layout, rooms, sweep, orders, view, chooser, clock, moves, keepsHistory: false
  })
  const moveRoom = createMoveRoom({ client, layout, rooms, sweep, clock, lingerMs: linger })

  async function binding (room: RoomKey) {
    const found = await inTime(async () => await client.get(layout.roomPath(keyOf(room))))
    if (found === undefined) return null
    const text = found.data.toString()
    return { text, epoch: null, ...readBinding(text) }
  }

  async function inTime<T> (work: (limit: Ending) => Promise<T>): Promise<T> {
    try {
      return await withDeadline({ clock: systemClock, ms: CALL_MS }, work)
    } catch (cause) {
      throw new StoreUnavailable('ZooKeeper', cause)
    }
  }

  /** Runs operations that depend on what is read first, until no other client writes in between. */
  async function write (read: () => Promise<ZooKeeperOp[] | undefined>): Promise<boolean> {
    return await inTime(async () => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const ops = await read()
        if (ops === undefined) return false
        if (await client.multi(ops) === undefined) return true
      }
      throw new Error('the znodes kept changing')
    })
  }

  const keyOf = (room: RoomKey) => layout.roomKey(room)
  const stateOf = async (room: RoomKey) => await rooms.read(keyOf(room))

  /** A node that is gone is no obstacle. */
  async function removal (path: string): Promise<ZooKeeperOp[]> {
    const stat = await client.exists(path)
    return stat === undefined ? [] : [{ type: 'remove', path, version: stat.version }]
  }

  async function lossesOf ({ rival, taken, ended, evicted }: Losses): Promise<ZooKeeperOp[]> {
    const [toTake, toEnd, toEvict] = await Promise.all([taken, ended, evicted].map(async (keys) =>
      await Promise.all(keys.map(stateOf))))
    return [
      ...toTake?.map((state) => rooms.write(state, takenBy(memberOf(rival), state)).ops) ?? [],
      ...toEnd?.map((state) => rooms.write(state, endedNow(state)).ops) ?? [],
      ...toEvict?.map((state) => state.version === undefined ? [] : rooms.remove(state)) ?? []
    ].flat()
  }

  async function writeOver (
    room: RoomKey, text: string, change: (present: RoomState) => { ops: ZooKeeperOp[], text: string }
  ): Promise<string | undefined> {
    let next = ''
    const isWritten = await write(async () => {
      const present = await stateOf(room)
      if (present.text !== text) return undefined
      const changed = change(present)
      next = changed.text
      return changed.ops
    })
    return isWritten ? next : undefined
  }

  const store: ZooKeeperTestStore = {
    name: 'ZooKeeper',
    place: `the path "${ROOT}"`,
    async now () {
      await inTime(async () => await client.exists('/'))
      return Date.now()
    },
    epoch: async () => null,
    async registration (id) {
      const found = await inTime(async () => await client.get(layout.idPath(id)))
      if (found === undefined) return null
      const incarnation = found.data.toString()
      const member = memberOf({ id, incarnation })
      // Other texts may be no part of a path.
      const isPath = /^[\w-]{1,64}$/.test(incarnation)
      const znode = isPath ? await inTime(async () => await client.get(layout.nodePath(member))) : undefined
      const isAlive = znode !== undefined
      return {
        id,
        incarnation,
        member,
        renewedAt: znode?.stat.mtime ?? 0,
        leaseEnds: isAlive ? Infinity : 0,
        isAlive,
        record: znode?.data.toString() ?? null
      }
    },
    async members () {
      const children = await inTime(async () => await client.children(layout.nodes)) ?? []
      return children.map((child) => layout.memberOf(child)).filter((member) => member !== undefined)
    },
    binding,
    bindingLasts: async () => Infinity,
    async assign (room, member) {
      try {
        const accepts = (node: { id: string, incarnation: string }) => memberOf(node) === member
        const { node, issuedAt } = await withDeadline({ clock: systemClock, ms: CALL_MS }, async (limit) =>
          await assigner.assign(room, { accepts }, limit))
        return { outcome: 'bound', member: memberOf(node), issuedAt }
      } catch (cause) {
        if (!isCatalogued(cause)) throw new StoreUnavailable('ZooKeeper', cause)
        return { outcome: cause.code, member: '', issuedAt: 0 }
      }
    },
    async endCall (room) {
      await inTime(async (limit) => await assigner.end(room, limit))
    },
    async move (room) {
      await inTime(async (limit) => await moveRoom(keyOf(room), { reason: 'checked by checkNode', author: 'checkNode' }, limit))
    },
    async hasGivenUp (_nodeId, room) {
      return (await binding(room))?.state === 'moved'
    },
    async dropLease (member, losses) {
      // One transaction, so that no heartbeat comes between.
      await write(async () => [...await removal(layout.nodePath(member)), ...await lossesOf(losses)])
    },
    async forgetId ({ id, member }) {
      await write(async () => [...await removal(layout.idPath(id)), ...await removal(layout.nodePath(member))])
    },
    async evict (room) {
      await write(async () => {
        const state = await stateOf(room)
        return state.version === undefined ? undefined : rooms.remove(state)
      })
    },
    async spoil (room) {
      const path = layout.roomPath(keyOf(room))
      const data = Buffer.from('unreadable')
      await write(async () => {
        const { version } = await stateOf(room)
        return [version === undefined ? { type: 'create', path, data } : { type: 'set', path, data, version }]
      })
    },
    skipSettling: async () => {},
    async znodesOf ({ id, member }) {
      const paths = [layout.nodePath(member), layout.idPath(id)]
      const [node, ofId] = await inTime(async () =>
        await Promise.all(paths.map(async (path) => await client.exists(path))))
      return node && ofId && { isNodeEphemeral: isEphemeral(node), isIdEphemeral: isEphemeral(ofId) }
    },
    touch: async (room) => await write(async () => {
      const state = await stateOf(room)
      return state.binding?.state === 'assigned' ? rooms.write(state, state.binding).ops : undefined
    }),
    write: async (room, text, content) =>
      await writeOver(room, text, (present) => rooms.write(present, toContent(content))),
    replace: async (room, text, content) => await writeOver(room, text, (present) => {
      const next = toText(toContent(content))
      const create: ZooKeeperOp = { type: 'create', path: layout.roomPath(present.key), data: Buffer.from(next) }
      return { ops: [...rooms.remove(present), create], text: next }
    })
  }

  client.start()
  return {
    store,
    registry,
    async close () {
      sweep.stop()
      await registry.close()
      await client.close()
    }
  }
}

function takenBy (member: string, { binding }: RoomState): Content {
  return { member, state: 'claimed', claims: 1, endedAt: binding?.endedAt ?? 0 }
}

function endedNow ({ binding }: RoomState): Content {
  const { member, claims = 0 } = binding ?? {}
  return { member, state: member === undefined ? 'ended' : 'released', claims, endedAt: Date.now() }
}

const toContent = ({ member, state }: Pick<Content, 'member' | 'state'>): Content =>
  ({ member, state, claims: state === 'claimed' ? 1 : 0, endedAt: 0 })

const isEphemeral = ({ ephemeralOwner }: { ephemeralOwner: string }) => !NO_OWNER.test(ephemeralOwner)

function readBinding (text: string): { member: string, state: string } {
  try {
    const { member = '', state } = parseBinding(text)
    return { member, state }
  } catch (error) {
    if (error instanceof UnreadableBindingError) return { member: '', state: '' }
    throw error
  }
}
