import { Type } from '@sinclair/typebox'
import { takesDeadline } from '../common/adapter-call.js'
import { createAdapterState } from '../common/adapter-state.js'
import { checkOptions, FunctionOption } from '../common/check-options.js'
import { systemClock } from '../common/clock.js'
import { isOver, throwIfOver, withinDeadline } from '../common/deadline.js'
import { RegistryUnavailableError } from '../errors.js'
import { isCatalogued } from '../common/is-catalogued.js'
import { createMemberships } from './membership/memberships.js'
import { MAX_NODES, parseRecord } from './nodes/node-entry.js'
import { assertSize, checkNodeRecord } from './nodes/node-record.js'
import { createRepeater, jittered } from '../common/repeater.js'
import { createChooser } from './nodes/chooser.js'
import { unavailable } from '../common/unavailable.js'
import { createAssigner } from './zookeeper/assigner.js'
import { createCommit } from './zookeeper/commits.js'
import { createZooKeeperClient, ZooKeeperError } from '../zookeeper-client/client.js'
import { untilConnected } from '../zookeeper-client/until-connected.js'
import { createHistory, keepNoHistory } from './zookeeper/history.js'
import { createLayout } from './zookeeper/layout.js'
import { createMoveTimes } from './zookeeper/move-times.js'
import { createMoveRoom } from './zookeeper/moves.js'
import { createZooKeeperNode } from './zookeeper/node-store.js'
import { createZooKeeperOperations } from './zookeeper/operations.js'
import { createOrderedIds } from './zookeeper/orders.js'
import { createRooms } from './zookeeper/room-records.js'
import { createSweep } from './zookeeper/sweep.js'
import { createZooKeeperView } from './zookeeper/view.js'
import type { CallOptions } from '../common/adapter-call.js'
import type { Clock } from '../common/clock.js'
import type { Ending } from '../common/deadline.js'
import type { ChoiceOptions } from './nodes/chooser.js'
import type { ZooKeeperClient, ZooKeeperClientOptions } from '../zookeeper-client/client.js'
import type { Registry, RoomKey, ZooKeeperRegistryOptions } from '../../types/registry.js'

const ASSIGN_MS = 300
/** Gateways set a shorter limit of their own; operators have time. */
const END_MS = 2000
const OPERATE_MS = 5000
/** Milliseconds between two readings of the list of nodes, whether a watch fired or not. */
const POLL_MS = 2000
/** Milliseconds that a joining node waits for the connection. */
const CONNECT_MS = 5000
/** Milliseconds beyond the session timeout in which nodes that vanished together are not considered dead. */
const DOUBT_MS = 2000

const PATH = '^(/(?!\\.{1,2}(?:/|$))[^/\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\uf8ff\\ufff0-\\uffff]+)+$'
const Options = Type.Object({
  hosts: Type.String({ minLength: 1, description: 'a list host:port,host:port with an optional /chroot behind it' }),
  root: Type.Optional(Type.String({ pattern: PATH, description: 'a path that begins with / and does not end with it' })),
  auth: Type.Optional(Type.String({ pattern: '^[^:]+:.+$', description: 'a string user:password' })),
  sessionTimeout: Type.Optional(Type.Integer({
    minimum: 300, maximum: 300_000, description: 'an integer from 300 to 300000, in milliseconds'
  })),
  linger: Type.Optional(Type.Integer({ minimum: 1, description: 'an integer of at least 1, in seconds' })),
  listed: Type.Optional(Type.Object({
    path: Type.String({ pattern: PATH })
  }, { additionalProperties: false, description: 'an object { path }, whose children are the nodes' })),
  parse: Type.Optional(FunctionOption('a function (text, id) => record')),
  history: Type.Optional(Type.Boolean({ description: 'true or false' }))
}, { additionalProperties: false })

/**
 * The nodes of any number of processes, and their rooms, in one ZooKeeper ensemble. Connects when the plugin starts, or
 * at the first use, in a session of its own.
 *
 * @throws TypeError that names the option and the rule
 */
export function zookeeperRegistry (options: ZooKeeperRegistryOptions): Registry {
  return createZooKeeperRegistry(options, systemClock)
}

/** Creates a `zookeeperRegistry` on another clock and client. */
export function createZooKeeperRegistry (
  options: ZooKeeperRegistryOptions, clock: Clock,
  makeClient: (options: ZooKeeperClientOptions) => ZooKeeperClient = createZooKeeperClient
): Registry {
  checkOptions('zookeeperRegistry', Options, options)
  const {
    hosts, root = '/cobrowse', auth, sessionTimeout = 6000, linger = 20,
    history: keepsHistory = true, listed, parse = parseRecord
  } = options
  const lingerMs = linger * 1000
  const client = makeClient({ hosts, auth, sessionTimeout, clock, log: () => state.log })
  const layout = createLayout(root, listed?.path)
  const rooms = createRooms(client, layout, keepsHistory ? createHistory(clock) : keepNoHistory)
  const orders = createOrderedIds(client, layout)
  const sweep = createSweep({ client, layout, rooms, lingerMs, clock })
  const chooser = createChooser({ reportAge: POLL_MS })
  const memberships = createMemberships(clock)
  const poller = createRepeater(clock, async () => {
    await poll()
    return jittered(POLL_MS)
  })

  const state = createAdapterState({
    open () {
      client.start()
      sweep.startRound()
      poller.start()
    },
    async end () {
      poller.stop()
      sweep.stop()
      await memberships.leaveAll()
      await client.close()
    },
    viewAgeMs: () => view.ageMs()
  })
  const view = createZooKeeperView({
    client,
    layout,
    orders,
    parse,
    clock,
    doubtMs: () => client.sessionTimeout() + DOUBT_MS,
    log: () => state.log,
    onRejected: state.rejectRecord,
    onRead: (nodes) => chooser.update(nodes, clock.monotonic()),
    onHint: poller.hurry
  })
  const moves = createMoveTimes({ client, clock, lingerMs })
  const commit = createCommit({ client, layout, clock })
  const assigner = createAssigner({
    client, commit, layout, rooms, sweep, orders, view, chooser, clock, moves, keepsHistory
  })

  client.on((session) => {
    if (session === 'connected') assigner.forget()
    if (session === 'connected' || session === 'reconnected') view.forget()
    else state.set('down', client.reason() ?? `the connection is ${session}`)
    poller.hurry()
  })

  async function poll (): Promise<void> {
    try {
      await view.poll()
      if (view.isDoubtful()) state.set('degraded', 'nodes vanished together or unobserved: their rooms stay bound')
      else if (!view.isCut()) state.set('up')
      else state.set('degraded', `more than ${MAX_NODES} nodes: only the first are read`)
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === 'NO_NODE') return state.set('degraded', error.message)
      const isDenied = error instanceof ZooKeeperError && error.code === 'NO_AUTH'
      if (isDenied) state.set('degraded', 'ZooKeeper refuses to show the nodes: NO_AUTH')
      else if (client.state() !== undefined || client.reason() !== undefined) {
        state.set('down', client.reason() ?? 'ZooKeeper does not answer in time')
      }
    }
  }

  function assertOpen (): void {
    if (state.isClosed) throw unavailable('the registry is closed')
  }

  async function askInTime<T> (
    ms: number, within: Ending | undefined, work: (limit: Ending) => Promise<T>
  ): Promise<T> {
    assertOpen()
    try {
      return await withinDeadline({ clock, ms, within }, async (limit) => {
        // A gateway that lost its connection answers at once; one without any was never started, and connects now.
        if (client.state() === undefined) {
          client.start()
          await untilConnected(client, limit)
        }
        return await work(limit)
      })
    } catch (cause) {
      throwIfOver(within)
      throw isCatalogued(cause) ? cause : new RegistryUnavailableError({ cause })
    }
  }

  return {
    start: state.start,
    status: state.status,
    close: state.close,
    linger,
    assign: takesDeadline(async (room: RoomKey, options: CallOptions & ChoiceOptions = {}) => {
      // Without a `start` no timer reads the nodes.
      if (!poller.isOn() && (view.ageMs() ?? 0) > POLL_MS) poll().catch(() => {})
      return await askInTime(ASSIGN_MS, options.signal, async (limit) => await assigner.assign(room, options, limit))
    }),
    end: takesDeadline(async (room: RoomKey, options: CallOptions = {}) => {
      await askInTime(END_MS, options.signal, async (limit) => await assigner.end(room, limit))
    }),
    nodes: view.nodes,
    operations: createZooKeeperOperations({
      client,
      layout,
      moves,
      moveRoom: createMoveRoom({ client, layout, rooms, sweep, clock, lingerMs }),
      parse,
      clock,
      inTime: async (work) => await askInTime(OPERATE_MS, undefined, work)
    }),
    async join (record) {
      if (listed !== undefined) {
        throw new TypeError('"listed" option of zookeeperRegistry: another program registers its nodes')
      }
      const checked = checkNodeRecord(record?.id, record)
      assertSize(checked)
      return await askInTime(CONNECT_MS, undefined, async (limit) => {
        client.start()
        await untilConnected(client, limit)
        const store = createZooKeeperNode({ client, layout, rooms, sweep, lingerMs, clock })
        const membership = await memberships.join(store, checked)
        // The registry may have been closed during the join, or the join may have timed out.
        if (isOver(limit) || state.isClosed) await membership.leave()
        assertOpen()
        return membership
      })
    }
  }
}
