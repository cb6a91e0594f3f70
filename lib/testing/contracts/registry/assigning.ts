import assert from 'node:assert/strict'
import { NodesFullError, NoLiveNodeError } from '../../../errors.js'
import { show } from '../broken.js'
import { assignMany, idsOf, newRoom, nodeOf, wssUrlOf } from '../rooms.js'
import type { Sentences } from '../sentences.js'
import type { RegistryFixture } from './fixture.js'

export const ASSIGNING: Sentences<RegistryFixture> = {
  'assign – a new room – names a live node as it registered': async ({ registry, join }) => {
    const { incarnation } = await join('n1', { wssUrlOut: 'wss://out.example/n1' })
    const { node } = await registry.assign(newRoom())
    assert.deepEqual(node, { id: 'n1', incarnation, wssUrl: wssUrlOf('n1'), wssUrlOut: 'wss://out.example/n1' })
  },

  'assign – a node without an external address – names none': async ({ registry, join }) => {
    await join('n1')
    const { node } = await registry.assign(newRoom())
    assert.equal(node.wssUrlOut, undefined)
  },

  'assign – a new room – is dated by the clock of the store, in whole milliseconds': async (fixture) => {
    const { registry, join, clockSkew } = fixture
    await join('n1')
    const earliest = Date.now() - clockSkew
    const { issuedAt } = await registry.assign(newRoom())
    const latest = Date.now() + clockSkew
    assert.ok(Number.isSafeInteger(issuedAt), `"issuedAt" is ${show(issuedAt)}`)
    assert.ok(issuedAt >= earliest && issuedAt <= latest, `"issuedAt" is ${issuedAt}, not in ${earliest} to ${latest}`)
  },

  'assign – the store answers – opens rooms: "joinOnly" is false': async ({ registry, join }) => {
    await join('n1')
    assert.equal((await registry.assign(newRoom())).joinOnly, false)
  },

  'assign – a room that has a live node – names the same node': async ({ registry, join }) => {
    for (const id of ['n1', 'n2', 'n3']) await join(id)
    const room = newRoom()
    const answers = [await registry.assign(room)]
    for (let count = 0; count < 20; count++) answers.push(await registry.assign({ ...room }))
    assert.equal(idsOf(answers).length, 1, `nodes named for one room: ${show(idsOf(answers))}`)
  },

  'assign – many first requests for one room at once – name one node': async ({ registry, join }) => {
    for (const id of ['n1', 'n2', 'n3']) await join(id)
    const room = newRoom()
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await registry.assign({ ...room })))
    assert.equal(idsOf(answers).length, 1, `nodes named for one room: ${show(idsOf(answers))}`)
  },

  'assign – the same room id in two tenants – is two rooms': async ({ registry, join }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    assert.equal(await first.claim({ tenant: 'a', room: 'b' }), 'ok')
    assert.equal(await second.claim({ tenant: 'c', room: 'b' }), 'ok')
    assert.equal(await nodeOf(registry, { tenant: 'a', room: 'b' }), 'n1')
    assert.equal(await nodeOf(registry, { tenant: 'c', room: 'b' }), 'n2')
  },

  'assign – a tenant and a room that make the same text as two others – is another room': async ({ join }) => {
    const [first, second] = [await join('n1'), await join('n2')]
    for (const mark of [':', '|', '/']) {
      assert.equal(await first.claim({ tenant: `x${mark}y`, room: 'z' }), 'ok')
      assert.equal(await second.claim({ tenant: 'x', room: `y${mark}z` }), 'ok', `joined by "${mark}"`)
    }
  },

  'assign – no node – rejects with NoLiveNodeError': async ({ registry, rejection }) => {
    assertNoLiveNode(await rejection(async () => await registry.assign(newRoom())))
  },

  'assign – a signal that has aborted – rejects with its reason': async ({ impatient, join, rejection }) => {
    await join('n1')
    const reason = new Error('gone')
    const signal = AbortSignal.abort(reason)
    assert.equal(await rejection(async () => await impatient.registry.assign(newRoom(), { signal })), reason)
  },

  'assign – a full node – gets no new rooms': async ({ registry, join, untilShown }) => {
    const full = await join('n1', { capacity: 1 })
    await join('n2')
    assert.equal(await full.claim(newRoom()), 'ok')
    await untilShown('"nodes" shows the room', (nodes) => nodes.some(({ id, rooms }) => id === 'n1' && rooms > 0))
    assert.deepEqual(idsOf(await assignMany(registry, 20)), ['n2'])
  },

  'assign – all nodes are full – rejects with NodesFullError': async ({ registry, join, rejection }) => {
    await join('n1', { capacity: 0 })
    const error = await rejection(async () => await registry.assign(newRoom()))
    assert.ok(error instanceof NodesFullError, `rejected with ${show(error)}`)
  },

  'assign – many new rooms – spread over the nodes': async ({ registry, join, untilShown }) => {
    for (const id of ['n1', 'n2', 'n3', 'n4']) await join(id)
    await untilShown('"nodes" shows four', (nodes) => nodes.length === 4)
    const counts: Record<string, number> = { n1: 0, n2: 0, n3: 0, n4: 0 }
    for (const { node } of await assignMany(registry, 400)) counts[node.id] = (counts[node.id] ?? 0) + 1
    const [least, most] = [Math.min(...Object.values(counts)), Math.max(...Object.values(counts))]
    assert.ok(most <= 2 * least, `rooms of each node: ${show(counts)}`)
  }
}

export function assertNoLiveNode (error: unknown): void {
  assert.ok(error instanceof NoLiveNodeError, `rejected with ${show(error)}`)
}
