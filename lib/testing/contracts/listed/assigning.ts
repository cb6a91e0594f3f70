import assert from 'node:assert/strict'
import { show } from '../broken.js'
import { NoLiveNodeError, RegistrySettlingError } from '../../../errors.js'
import { idsOf, newRoom, nodeOf, nodeRecord, wssUrlOf } from '../rooms.js'
import type { Sentences } from '../sentences.js'
import type { ListedFixture } from './fixture.js'

const MANY = 1200
const AT_ONCE = 100

export const ASSIGNING_LISTED: Sentences<ListedFixture> = {
  'assign – a listed node – is named as it is listed, with the incarnation "-"': async ({ registry, list }) => {
    await list('n1')
    const { node } = await registry.assign(newRoom())
    assert.deepEqual({ ...node }, { id: 'n1', incarnation: '-', wssUrl: wssUrlOf('n1') })
  },

  'assign – a new room – is dated when it is asked for': async ({ registry, list, clockSkew }) => {
    await list('n1')
    const earliest = Date.now() - clockSkew
    const { issuedAt } = await registry.assign(newRoom())
    const latest = Date.now() + clockSkew
    assert.ok(issuedAt >= earliest && issuedAt <= latest, `"issuedAt" is ${issuedAt}, not in ${earliest} to ${latest}`)
  },

  'assign – several gateways ask for one room – all get one node': async (fixture) => {
    for (const ids of await assignThroughThree(fixture)) assert.equal(ids.length, 1, `nodes of one room: ${show(ids)}`)
  },

  'assign – many new rooms – every listed node gets some': async (fixture) => {
    const used = (await assignThroughThree(fixture)).flat()
    assert.deepEqual([...new Set(used)].sort(), ['n1', 'n2', 'n3', 'n4'])
  },

  'assign – a bound room whose node is listed – keeps its node': async (fixture) => {
    const { registry, list } = fixture
    const { room, bound } = await bindOne(fixture)
    await list('n3')
    assert.equal(await nodeOf(registry, room), bound)
  },

  'assign – a bound room whose node is not listed any more – gets another node': async (fixture) => {
    const { room, bound } = await bindOne(fixture)
    await fixture.unlist(bound)
    assert.notEqual(await nodeOf(fixture.registry, room), bound)
  },

  'assign – a room that moved, and its first node is listed again – stays where it moved': async (fixture) => {
    const { registry, list, unlist } = fixture
    const { room, bound } = await bindOne(fixture)
    await unlist(bound)
    const second = await nodeOf(registry, room)
    await list(bound)
    assert.equal(await nodeOf(registry, room), second)
  },

  'assign – a room that nothing asked for while its node was not listed – has its node again': async (fixture) => {
    const { registry, list, unlist } = fixture
    const { room, bound } = await bindOne(fixture)
    await unlist(bound)
    await nodeOf(registry)
    await list(bound)
    assert.equal(await nodeOf(registry, room), bound)
  },

  'assign – no node is listed – rejects with NoLiveNodeError, or settles first': async (fixture) => {
    const { room } = await bindOne(fixture)
    for (const id of ['n1', 'n2']) await fixture.unlist(id)
    await fixture.until('the room is refused', async () => {
      const answer = await fixture.impatient.assign(room).catch((error: unknown) => error)
      return answer instanceof NoLiveNodeError || answer instanceof RegistrySettlingError || answer
    })
  },

  'nodes – many are listed – shows all of them': async ({ registry, list, untilShown }) => {
    const ids = Array.from({ length: MANY }, (_value, at) => `n${at + 1000}`)
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      await Promise.all(ids.slice(at, at + AT_ONCE).map(async (id) => await list(id)))
    }
    await untilShown(`"nodes" shows ${MANY}`, (nodes) => nodes.length === MANY)
    assert.deepEqual(registry.nodes().map(({ id }) => id).sort(), ids)
  },

  'join – nodes that something else lists – rejects with a TypeError': async ({ impatient, rejection }) => {
    const error = await rejection(async () => await impatient.join(nodeRecord('n1')))
    assert.ok(error instanceof TypeError, `rejected with ${show(error)}`)
  }
}

/** Two listed nodes, and a room that is bound to one of them. */
async function bindOne ({ registry, list, untilShown }: ListedFixture) {
  await list('n1')
  await list('n2')
  await untilShown('"nodes" shows two', (nodes) => nodes.length === 2)
  const room = newRoom()
  return { room, bound: await nodeOf(registry, room) }
}

/** @returns ids of the nodes of each of many rooms */
async function assignThroughThree ({ registry, another, list, untilShown }: ListedFixture): Promise<string[][]> {
  const registries = [registry, another(), another()]
  for (const id of ['n1', 'n2', 'n3', 'n4']) await list(id)
  for (const each of registries) await untilShown('each shows four', (nodes) => nodes.length === 4, each)
  const found: string[][] = []
  for (let count = 0; count < 50; count++) {
    const room = newRoom()
    found.push(idsOf(await Promise.all(registries.map(async (each) => await each.assign(room)))))
  }
  return found
}
