import { NoLiveNodeError, RegistryUnavailableError } from '../../lib/errors.js'
import { elapse } from '../support/elapse.js'
import { silentLog } from '../support/silent-log.js'
import { eventually, until } from '../support/until.js'
import type { Test } from 'tap'
import type { AssignOptions, Assignment, NodeRecord, NodeView, Registry } from '../../types/index.js'

export interface RegistryUnderTest {
  /** The registry of a gateway. */
  gateway: Registry
  /** The registry of the nodes' process; for a registry of one process the same. */
  nodes: Registry
}

export type MakeRegistry = (t: Test) => Promise<RegistryUnderTest>

export interface ContractOptions {
  /** Milliseconds after which a binding has certainly ended that was not asked for; at least its linger. */
  goneAfterMs: number
}

let lastRoom = 0
export const newRoom = (tenant = 't1') => ({ tenant, room: `room-${++lastRoom}` })
export const nodeRecord = (id: string, more: Partial<NodeRecord> = {}): NodeRecord => ({
  id, wssUrl: `wss://${id}.example/ws/cobrowse/1`, ...more
})

export async function setUp (t: Test, make: MakeRegistry) {
  const { gateway, nodes } = await make(t)
  const join = async (id: string, more: Partial<NodeRecord> = {}) => await nodes.join(nodeRecord(id, more))
  return { gateway, nodes, join }
}

export const idsOf = (assignments: Assignment[]) => [...new Set(assignments.map(({ node }) => node.id))]
export const assignMany = async (gateway: Registry, count: number, options?: AssignOptions) =>
  await Promise.all(Array.from({ length: count }, async () => await gateway.assign(newRoom(), options)))

/** Every sentence of `Registry` in types/registry.ts; those of `Membership` are in membership-contract.ts. */
export function registryContract (
  t: Test, make: MakeRegistry, { goneAfterMs }: ContractOptions
): void {
  t.test('a new room gets a live node, as it registered', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const member = await join('n1', { wssUrlOut: 'wss://out.example/n1' })
    const before = Date.now()
    const { node, issuedAt, joinOnly } = await gateway.assign(newRoom())
    t.strictSame(node, {
      id: 'n1',
      incarnation: member.incarnation,
      wssUrl: 'wss://n1.example/ws/cobrowse/1',
      wssUrlOut: 'wss://out.example/n1'
    })
    t.equal(joinOnly, false)
    t.ok(Number.isSafeInteger(issuedAt) && issuedAt >= before - 1 && issuedAt <= Date.now() + 1, 'dated by the store')
  })

  t.test('all who ask for one room at once get one node, and so do all who ask later', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1')
    await join('n2')
    await join('n3')
    const room = newRoom()
    const asked = await Promise.all(Array.from({ length: 50 }, async () => await gateway.assign({ ...room })))
    t.equal(new Set(asked.map(({ node }) => node.incarnation)).size, 1)
    for (let i = 0; i < 20; i++) asked.push(await gateway.assign(room))
    t.equal(idsOf(asked).length, 1)
  })

  t.test('the same room id in two tenants is two rooms', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1')
    const second = await join('n2')
    t.equal(await first.claim({ tenant: 'a', room: 'b' }), 'ok')
    t.equal(await second.claim({ tenant: 'c', room: 'b' }), 'ok')
    t.equal((await gateway.assign({ tenant: 'a', room: 'b' })).node.id, 'n1')
    t.equal((await gateway.assign({ tenant: 'c', room: 'b' })).node.id, 'n2')
    t.equal(await first.claim({ tenant: 'x:y', room: 'z' }), 'ok')
    t.equal(await second.claim({ tenant: 'x', room: 'y:z' }), 'ok', 'nor do they run into each other')
  })

  t.test('without a node there is no answer', async (t) => {
    const { gateway } = await setUp(t, make)
    await t.rejects(gateway.assign(newRoom()), NoLiveNodeError)
  })

  t.test('a signal that has aborted ends the call with its reason', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const member = await join('n1')
    const reason = new Error('gone')
    await t.rejects(gateway.assign(newRoom(), { signal: AbortSignal.abort(reason) }), reason)
    await t.rejects(member.claim(newRoom(), AbortSignal.abort(reason)), reason)
  })

  t.test('only accepted nodes are chosen', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1')
    await join('n2')
    const accepts = ({ id }: NodeView) => id === 'n2'
    t.strictSame(idsOf(await assignMany(gateway, 20, { accepts })), ['n2'])
    await t.rejects(gateway.assign(newRoom(), { accepts: () => false }), NoLiveNodeError)
  })

  t.test('an own choice replaces the order, among the candidates', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1')
    await join('n2')
    await join('n3', { draining: true })
    await until(async () => await gateway.assign(newRoom()) && gateway.nodes().length === 3)
    const seen: string[][] = []
    const room = newRoom()
    const { node } = await gateway.assign(room, {
      selectNode (candidates, context) {
        seen.push(candidates.map(({ id }) => id).sort())
        t.strictSame(context.room, room)
        for (const node of candidates) t.type(context.ownAssignments(node), 'number')
        const stranger = { ...nodeRecord('stranger'), incarnation: 'x', weight: 1, draining: false, rooms: 0 }
        return [stranger, ...candidates.filter(({ id }) => id === 'n2')]
      }
    })
    t.equal(node.id, 'n2')
    // Asked once more where the first view was read before the second node came.
    t.strictSame(seen.at(-1), ['n1', 'n2'])
    await t.rejects(gateway.assign(newRoom(), { selectNode: () => [] }), NoLiveNodeError, 'what is left out is out')
  })

  t.test('an own choice does not move a room', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1')
    await join('n2')
    const room = newRoom()
    const { node: { id } } = await gateway.assign(room)
    const other = await gateway.assign(room, { accepts: (node) => node.id !== id, selectNode: () => [] })
    t.equal(other.node.id, id)
  })

  t.test('a full node gets no new rooms', async (t) => {
    const { gateway, join } = await setUp(t, make)
    const first = await join('n1', { capacity: 1 })
    await join('n2')
    t.equal(await first.claim(newRoom()), 'ok')
    await until(() => gateway.nodes().find(({ id }) => id === 'n1')?.rooms === 1 ||
      gateway.assign({ tenant: 't1', room: 'poll' }, { accepts: ({ id }) => id === 'n2' }).then(() => false))
    t.strictSame(idsOf(await assignMany(gateway, 20)), ['n2'])
  })

  t.test('new rooms spread over the nodes', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1')
    await join('n2')
    await join('n3')
    await join('n4')
    await until(async () => await gateway.assign(newRoom()) && gateway.nodes().length === 4)
    const counts = new Map<string, number>()
    for (const { node } of await assignMany(gateway, 400)) counts.set(node.id, (counts.get(node.id) ?? 0) + 1)
    t.equal(counts.size, 4)
    t.ok(Math.max(...counts.values()) / Math.min(...counts.values()) <= 1.3, JSON.stringify([...counts]))
  })

  t.test('a binding ends when nobody asks for it, and every answer prolongs it', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1')
    await join('n2')
    const [forgotten, asked] = [newRoom(), newRoom()]
    const elsewhere = ({ node }: Assignment) => ({ accepts: ({ id }: NodeView) => id !== node.id })
    const first = { forgotten: await gateway.assign(forgotten), asked: await gateway.assign(asked) }
    for (let i = 0; i < 24; i++) {
      await elapse(goneAfterMs / 20, 'a small part of the linger, since machines are noisy')
      t.equal((await gateway.assign(asked, elsewhere(first.asked))).node.id, first.asked.node.id)
    }
    const { node } = await gateway.assign(forgotten, elsewhere(first.forgotten))
    t.not(node.id, first.forgotten.node.id)
  })

  t.test('the nodes are shown as they are', async (t) => {
    const { gateway, join } = await setUp(t, make)
    await join('n1', { weight: 2, zone: 'az1', capacity: 9 })
    await join('n2')
    await gateway.assign({ tenant: 't1', room: 'a' }, { accepts: ({ id }) => id === 'n2' })
    await eventually(() => gateway.nodes().length, 2)
    const shown = [...gateway.nodes()].sort((a, b) => a.id < b.id ? -1 : 1)
    t.match(shown[0], { id: 'n1', weight: 2, zone: 'az1', capacity: 9, draining: false, rooms: 0 })
    t.match(shown[1], { id: 'n2', weight: 1, draining: false })
  })

  t.test('starts and closes are counted; the last close ends the memberships, and no more is answered', async (t) => {
    const { gateway, nodes, join } = await setUp(t, make)
    const member = await join('n1')
    const states: string[] = []
    const context = { log: silentLog, onState: ({ state }: { state: string }) => states.push(state) }
    nodes.start(context)
    nodes.start(context)
    await eventually(() => nodes.status().state, 'up')
    await nodes.close()
    t.equal(nodes.status().state, 'up')
    t.equal(member.valid(), true)
    const room = newRoom()
    await nodes.assign(room)
    while (nodes.status().state !== 'closed') await nodes.close()
    t.equal(member.valid(), false)
    await t.resolves(nodes.close(), 'further calls do nothing')
    await t.rejects(nodes.assign(room), RegistryUnavailableError)
    await t.rejects(nodes.join(nodeRecord('n2')), RegistryUnavailableError)
    await t.rejects(gateway.assign(room), gateway === nodes ? RegistryUnavailableError : NoLiveNodeError)
    t.ok(states.includes('up'))
    t.equal(states.at(-1), 'closed')
  })

  t.test('signatures may live as long as bindings linger', async (t) => {
    const { gateway } = await setUp(t, make)
    t.ok(Number.isInteger(gateway.linger) && Number(gateway.linger) * 1000 <= goneAfterMs)
  })
}
