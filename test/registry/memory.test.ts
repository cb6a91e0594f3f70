import t from 'tap'
import { memoryRegistry } from '../../lib/registry/memory.js'
import { NodesFullError } from '../../lib/errors.js'
import { newRoom, nodeRecord } from '../../lib/testing/contracts/rooms.js'
import { membershipContract, operationsContract, registryContract } from '../../lib/testing/index.js'
import type { MakeRegistry } from '../../types/contracts.js'
import type { MemoryRegistryOptions } from '../../types/index.js'

t.test('contract', async (t) => {
  t.jobs = 8
  const make: MakeRegistry = ({ linger }) => ({ registry: memoryRegistry({ linger }) })
  const settings = { test: t.test, slack: 200 }
  await Promise.all([registryContract, membershipContract, operationsContract].map(
    async (contract) => await contract(settings, make)))
})

t.test('nodes of the option – are present from the start, with their own load', async (t) => {
  const registry = memoryRegistry({ nodes: [nodeRecord('n1', { rooms: 5 }), nodeRecord('n2')] })
  for (let i = 0; i < 5; i++) t.equal((await registry.assign(newRoom())).node.id, 'n2')
  t.strictSame(registry.nodes().map(({ id, rooms }) => [id, rooms]), [['n1', 5], ['n2', 5]])
  t.not(registry.nodes()[0]?.incarnation, registry.nodes()[1]?.incarnation)
})

t.test('rooms – are counted exactly, and no longer than they are bound', async (t) => {
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  const registry = memoryRegistry({ nodes: [nodeRecord('n1', { capacity: 3 })], linger: 20 })
  const rooms = [newRoom(), newRoom(), newRoom()] as const
  for (const room of rooms) {
    await registry.assign(room)
    now += 1000
  }
  await t.rejects(registry.assign(newRoom()), NodesFullError)
  t.equal(registry.nodes()[0]?.rooms, 3)
  await registry.assign(rooms[0])
  now = 22_001
  t.equal(registry.nodes()[0]?.rooms, 1, 'the room that was requested again remains')
  await registry.assign(newRoom())
  t.equal(registry.nodes()[0]?.rooms, 2)
  now = 60_000
  t.equal(registry.nodes()[0]?.rooms, 0)
})

t.test('returned objects – changed by the caller – do not change the registry', async (t) => {
  const registry = memoryRegistry({ nodes: [nodeRecord('n1')] })
  const [shown] = registry.nodes()
  if (shown) shown.draining = true
  const { node } = await registry.assign(newRoom())
  node.wssUrl = 'wss://evil.example/'
  t.equal((await registry.assign(newRoom())).node.wssUrl, nodeRecord('n1').wssUrl)
})

t.test('a wrong option – is rejected by name', async (t) => {
  const bad: Array<[unknown, string]> = [
    [{ linger: 0 }, '"linger" option of memoryRegistry must be an integer of at least 1, in seconds'],
    [{ linger: '20' }, '"linger" option of memoryRegistry must be an integer of at least 1, in seconds'],
    [{ lingers: 20 }, '"lingers" is not an option of memoryRegistry; it takes nodes, linger'],
    [{ nodes: {} }, '"nodes" option of memoryRegistry must be a list of node records'],
    [{ nodes: [{ id: 'n1' }] }, '"nodes.0" option of memoryRegistry: node record: "wssUrl" must be a non-empty string'],
    [{ nodes: [nodeRecord('n1'), nodeRecord('n1')] },
      '"nodes.1" option of memoryRegistry: node record: "id" is already that of an earlier record']
  ]
  for (const [options, message] of bad) {
    // A program without types may pass these.
    t.throws(() => memoryRegistry(options as MemoryRegistryOptions), { name: 'TypeError', message })
  }
  const registry = memoryRegistry({ nodes: [nodeRecord('n1')] })
  await t.rejects(registry.join(nodeRecord('n1')), { name: 'TypeError', message: /"id"/ }, 'a static node stays')
})

t.test('a call that ended – before the clock was set back – rejects no later signature', async (t) => {
  const registry = memoryRegistry()
  const member = await registry.join(nodeRecord('n1'))
  const room = newRoom()
  await registry.assign(room)
  const { now } = Date
  const restore = t.intercept(Date, 'now', { value: () => now() + 3_600_000 })
  await registry.end?.(room)
  t.equal(await member.claim(room, { issuedAt: Date.now() / 1000 - 1 }), 'ended')
  restore.restore()
  const { issuedAt } = await registry.assign(room)
  t.equal(await member.claim(room, { issuedAt: issuedAt / 1000 }), 'ok')
  t.equal(member.endedAt(room), undefined)
})
