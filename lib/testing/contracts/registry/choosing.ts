import assert from 'node:assert/strict'
import { assertNoLiveNode } from './assigning.js'
import { assignMany, idsOf, newRoom, nodeOf, nodeRecord } from '../rooms.js'
import type { NodeView, SelectContext } from '../../../../types/registry.js'
import type { Sentences } from '../sentences.js'
import type { RegistryFixture } from './fixture.js'

export const CHOOSING: Sentences<RegistryFixture> = {
  'accepts – a node that is not accepted – gets no new rooms': async (fixture) => {
    await joinTwo(fixture)
    const accepts = ({ id }: NodeView) => id === 'n2'
    assert.deepEqual(idsOf(await assignMany(fixture.registry, 20, { accepts })), ['n2'])
  },

  'accepts – no node is accepted – rejects with NoLiveNodeError': async (fixture) => {
    await joinTwo(fixture)
    assertNoLiveNode(await fixture.rejection(
      async () => await fixture.registry.assign(newRoom(), { accepts: () => false })))
  },

  'accepts – a bound room whose node is not accepted – keeps its node': async (fixture) => {
    await joinTwo(fixture)
    const room = newRoom()
    const bound = await nodeOf(fixture.registry, room)
    const { node } = await fixture.registry.assign(room, { accepts: ({ id }) => id !== bound })
    assert.equal(node.id, bound)
  },

  'selectNode – an order of its own – decides on the node': async (fixture) => {
    await joinTwo(fixture)
    for (const first of ['n1', 'n2', 'n1']) {
      const selectNode = (candidates: readonly NodeView[]) =>
        [...candidates].sort((one, other) => Number(other.id === first) - Number(one.id === first))
      assert.equal((await fixture.registry.assign(newRoom(), { selectNode })).node.id, first)
    }
  },

  'selectNode – candidates – are the live nodes that do not drain': async (fixture) => {
    await joinTwo(fixture)
    await fixture.join('n3', { draining: true })
    await fixture.untilShown('"nodes" shows three', (nodes) => nodes.length === 3)
    const [candidates] = await seenBySelectNode(fixture)
    assert.deepEqual(candidates.map(({ id }) => id).sort(), ['n1', 'n2'])
  },

  'selectNode – its context – has the room and counts own assignments': async (fixture) => {
    await joinTwo(fixture)
    const [candidates, context, room] = await seenBySelectNode(fixture)
    assert.deepEqual({ ...context.room }, { ...room })
    for (const node of candidates) assert.equal(typeof context.ownAssignments(node), 'number')
  },

  'selectNode – a node that is no candidate – is not chosen': async (fixture) => {
    await joinTwo(fixture)
    const stranger: NodeView = { ...nodeRecord('stranger'), incarnation: 'x', weight: 1, draining: false, rooms: 0 }
    const selectNode = (candidates: readonly NodeView[]) => [stranger, ...candidates.filter(({ id }) => id === 'n2')]
    assert.equal((await fixture.registry.assign(newRoom(), { selectNode })).node.id, 'n2')
  },

  'selectNode – every candidate is left out – rejects with NoLiveNodeError': async (fixture) => {
    await joinTwo(fixture)
    assertNoLiveNode(await fixture.rejection(
      async () => await fixture.registry.assign(newRoom(), { selectNode: () => [] })))
  },

  'selectNode – a bound room – keeps its node': async (fixture) => {
    await joinTwo(fixture)
    const room = newRoom()
    const bound = await nodeOf(fixture.registry, room)
    assert.equal((await fixture.registry.assign(room, { selectNode: () => [] })).node.id, bound)
  }
}

async function joinTwo ({ join, untilShown }: RegistryFixture): Promise<void> {
  await join('n1')
  await join('n2')
  await untilShown('"nodes" shows two', (nodes) => nodes.length === 2)
}

async function seenBySelectNode ({ registry }: RegistryFixture) {
  const seen: Array<[candidates: readonly NodeView[], context: SelectContext]> = []
  const room = newRoom()
  await registry.assign(room, {
    selectNode (...args) {
      seen.push(args)
      return args[0]
    }
  })
  const last = seen.at(-1)
  if (last === undefined) return assert.fail('"selectNode" was not called')
  return [...last, room] as const
}
