import { ZooKeeperError } from '../../../../lib/zookeeper-client/error.js'
import { roomName } from '../../../../lib/common/room-name.js'
import type { ReadOptions, ZooKeeperClient, ZooKeeperOp } from '../../../../lib/zookeeper-client/client.js'
import type { Membership, RoomKey } from '../../../../types/registry.js'
import type { BrokenZooKeeperNode, ZooKeeperDefect } from '../start-node.js'

type Change = Required<ZooKeeperDefect>['client']

const NODES = '/cobrowse/nodes/'
const IDS = '/cobrowse/ids/'
const isRoom = ({ path }: ZooKeeperOp) => /^\/cobrowse\/rooms\/..\/./.test(path)
const isBucket = ({ path }: ZooKeeperOp) => /^\/cobrowse\/rooms\/..$/.test(path)
const isNode = ({ path }: ZooKeeperOp) => path.startsWith(NODES)
const isId = ({ path }: ZooKeeperOp) => path.startsWith(IDS)
const isOfType = (type: ZooKeeperOp['type']) => (op: ZooKeeperOp) => op.type === type

/** Changes the operations of the node's transactions. */
const sending = (change: (ops: ZooKeeperOp[]) => ZooKeeperOp[]): Change => (good) => ({
  multi: async (ops, options) => {
    const sent = change(ops)
    const failure = await good.multi(sent, options)
    // The node counts the operations that it asked for.
    const failed = failure && sent[failure.index]
    const index = ops.findIndex(({ path, type }) => path === failed?.path && type === failed.type)
    return failure && { ...failure, index: Math.max(0, index) }
  }
})

/** Leaves out operations. */
const without = (isLeftOut: (op: ZooKeeperOp, ops: ZooKeeperOp[]) => boolean): Change =>
  sending((ops) => ops.filter((op) => !isLeftOut(op, ops)))

function blind (op: ZooKeeperOp): ZooKeeperOp {
  return op.type === 'set' && isRoom(op) ? { ...op, version: undefined } : op
}

/** Registers the same znode again when it is gone, as a PersistentNode does. */
const recreating: Change = (good: ZooKeeperClient) => {
  const records = new Map<string, Buffer>()
  return {
    async multi (ops, options) {
      for (const op of ops) if (op.type === 'create' && isNode(op)) records.set(op.path, op.data)
      const failure = await good.multi(ops, options)
      const [first] = ops
      const record = first && records.get(first.path)
      if (failure?.name !== 'NO_NODE' || failure.index > 0 || record === undefined || first === undefined) return failure
      await good.create(first.path, record, { ephemeral: true, ms: 1000 })
      return await good.multi(ops, options)
    }
  }
}

/** Replaces the state of a room in what the node reads. */
const showing = (state: RegExp, other: string, isMeant: (options: ReadOptions) => boolean = () => true): Change =>
  (good) => ({
    async get (path, options = {}) {
      const found = await good.get(path, options)
      if (found === undefined || !isMeant(options)) return found
      return { ...found, data: Buffer.from(found.data.toString().replace(state, other)) }
    }
  })

/** Admits clients to rooms that the node closed since their call ended, or since they move. */
function reopeningEnded (good: Membership): Partial<Membership> {
  const closed = new Set<string>()
  good.on('ended', (room) => closed.add(roomName(room)))
  const isClosed = (room: RoomKey) => closed.has(roomName(room))
  return {
    claim: async (room, options) => isClosed(room) ? 'ok' : await good.claim(room, options),
    holds: (room) => good.holds(room) || (good.valid() && isClosed(room)),
    endedAt: (room) => isClosed(room) ? undefined : good.endedAt(room)
  }
}

type Read = Awaited<ReturnType<ZooKeeperClient['get']>>

/** Claims of open rooms in turn read an old state, so that they tell nothing of the end of a call. */
function staleInTurn (good: ZooKeeperClient): ZooKeeperClient['get'] {
  const seen = new Map<string, Read>()
  return async (path, options) => {
    const old = options?.watch === undefined ? seen.get(path) : undefined
    if (old !== undefined) return old
    const found = await good.get(path, options)
    if (/\|claimed\|/.test(String(found?.data))) seen.set(path, found)
    return found
  }
}

export const ON_ZOOKEEPER: Record<string, BrokenZooKeeperNode> = {
  'writes rooms without their versions': {
    breaks: { 'claim-guarded': /another node had claimed a room, and the node overwrote that/ },
    client: sending((ops) => ops.map(blind))
  },
  'does not check the bucket of a room': {
    breaks: { 'claim-guarded': /another node had claimed a room, and the node overwrote that/ },
    client: without((op) => op.type === 'check' && isBucket(op))
  },
  'gives up a claim if another client wrote the room': {
    breaks: { 'claim-raced': /a gateway wrote the room at the same time, and the recorder was closed with 4503/ },
    client: (good) => ({
      async multi (ops, options) {
        const failure = await good.multi(ops, options)
        const isClaim = ops[0] !== undefined && isNode(ops[0])
        const room = ops.find(isRoom)
        if (failure === undefined || failure.index === 0 || !isClaim || room === undefined) return failure
        const found = await good.get(room.path)
        // Two clients of the node itself may come at the same time.
        if (/\|claimed\|/.test(String(found?.data))) return failure
        throw new ZooKeeperError(failure.name, 'not tried again')
      }
    })
  },
  'claims without a check of its own znode': {
    breaks: { 'lapse-unregistered': /hear each other, although the node was not registered/ },
    client: without((op, ops) => op.type === 'check' && isNode(op) && ops.length > 1)
  },
  'registers as a persistent znode': {
    breaks: { znodes: /the znode of the node is persistent/ },
    client: sending((ops) => ops.map((op) => op.type === 'create' && isNode(op) ? { ...op, ephemeral: false } : op))
  },
  'registers its id as an ephemeral znode': {
    breaks: { znodes: /the znode of the id is ephemeral/ },
    client: sending((ops) => ops.map((op) => op.type === 'create' && isId(op) ? { ...op, ephemeral: true } : op))
  },
  'creates its znode again when it is gone': {
    breaks: { 'lapse-registers': /the old incarnation was revived/ },
    client: recreating
  },
  'leaves its id behind': {
    breaks: { leaves: /it was still registered when it closed a room/ },
    client: without((op) => op.type === 'remove' && isId(op))
  },
  'leaves the znode of an earlier process alive': {
    breaks: { 'restarts-alone': /that were alive at the same time: node\|/ },
    client: without((op, ops) => op.type === 'remove' && isNode(op) && ops.filter(isOfType('create')).some(isNode))
  },
  'reads no room again after a reconnection': {
    breaks: { 'drop-call-ended': /somebody inside stays connected/ },
    client: (good) => ({
      get: staleInTurn(good),
      on: (listener) => good.on((state) => { if (state !== 'reconnected') listener(state) })
    })
  },
  'takes a dropped connection for the end of its session': {
    breaks: { 'drop-continues': /it has another incarnation/ },
    client (good) {
      let drops = 0
      good.on((state) => { if (state === 'suspended') drops++ })
      return { sessionId: () => `${good.sessionId()}-${drops}` }
    }
  },
  'watches no room': {
    breaks: {
      'call-ended': /somebody inside stays connected/,
      moved: /somebody inside stays connected/,
      'moved-given-up': /it does not say so, and the room waits for it/
    },
    client (good) {
      const unwatched: ZooKeeperClient['get'] = async (path, { watch: _watch, ...options } = {}) =>
        await good.get(path, options)
      return { get: staleInTurn({ ...good, get: unwatched }) }
    }
  },
  'hears of the end of a call, and not of a move': {
    breaks: {
      moved: /somebody inside stays connected/,
      'moved-given-up': /it does not say so, and the room waits for it/
    },
    client: showing(/\|moving(?:>[^|]+)?\|/, '|claimed|')
  },
  'never says that it gave up a room': {
    breaks: { 'moved-given-up': /it does not say so, and the room waits for it/ },
    client: without((op) => op.type === 'set' && isRoom(op) && /\|moved[>|]/.test(op.data.toString()))
  },
  'says that it gave up a room which it keeps open': {
    breaks: {
      'call-ended': /somebody inside stays connected/,
      'drop-call-ended': /somebody inside stays connected/,
      'lapse-ended': /somebody inside stays connected/,
      moved: /somebody inside stays connected/,
      'moved-given-up': /it says so, and has the room open/
    },
    onZooKeeper: (good) => ({
      on: (event, listener) => event === 'ended' ? () => {} : good.on(event, listener)
    })
  },
  'claims a room that an operator moved': {
    breaks: { 'moved-unopened': /a client with a signature from before stays connected/ },
    // Only the reading of a claim sets no watch.
    client: showing(/\|moved(?:>[^|]+)?\|/, '|assigned|', ({ watch }) => watch === undefined)
  },
  'lets clients in again to a room that it closed': {
    breaks: {
      'call-ended-older': /a client with a signature from before stays connected/,
      'call-ended-reopened': /with a normal signature from before stays/,
      'moved-older': /a client with a signature from before stays connected/
    },
    onZooKeeper: reopeningEnded
  },
  'relies on its lease for twice its session': {
    breaks: {
      'cut-refuses': /a client of a room that is open stays connected/,
      'cut-vanished': /right after its znode had vanished, a client stays connected/
    },
    client (good) {
      let session: string | undefined
      return {
        sessionTimeout: () => 2 * good.sessionTimeout(),
        // Nor does it notice that the session is lost.
        sessionId () {
          session = good.sessionId() ?? session
          return session
        }
      }
    }
  },
  'deletes the binding of an empty room': {
    breaks: { releases: /the binding was deleted/ },
    client: sending((ops) => ops.map((op) => op.type === 'set' && isRoom(op) && /\|released\|/.test(op.data.toString())
      ? { type: 'remove', path: op.path, version: op.version }
      : op))
  }
}
