import { NoLiveNodeError } from '../../lib/errors.js'
import { elapse } from '../support/elapse.js'
import { watch } from '../support/redis-registry.js'
import { until } from '../support/until.js'
import { idsOf, newRoom, nodeRecord } from './contract.js'
import type { Test } from 'tap'
import type { NodeRecord, NodeView, Registry } from '../../types/index.js'

export interface ListedUnderTest {
  gateway: Registry
  /** Of another gateway. */
  make (): Registry
  /** @param text left out: a good record */
  list (id: string, text?: string): Promise<unknown>
  relist (id: string, text: string): Promise<unknown>
  unlist (id: string): Promise<unknown>
}

export type ParseListed = (text: string, id: string) => Omit<NodeRecord, 'id'>
export interface MakeListedOptions {
  /** Where the records of the deployment do not say how they are read. */
  parse?: ParseListed
  /** Seconds; short unless it is given. */
  linger?: number
}
export type MakeListed = (t: Test, options?: MakeListedOptions) => Promise<ListedUnderTest>

export interface ListedOptions {
  /** The function that made the registry. */
  name: string
  /** Milliseconds after which a binding has certainly ended that was not asked for. */
  goneAfterMs: number
}

const MANY = 1200
/** Longer than a test takes on a busy machine: no binding ends in it. */
const LONG = { linger: 60 }

export const nodeOf = async (gateway: Registry, room = newRoom()) => (await gateway.assign(room)).node.id

const parseWords: ParseListed = (text, id) => {
  if (text === 'garbage') throw new Error('secret words')
  return { wssUrl: `wss://${text}/ws/cobrowse/${id}` }
}

/** What holds of nodes that something else lists, whatever store it is in. */
export function listedContract (t: Test, make: MakeListed, { name, goneAfterMs }: ListedOptions): void {
  t.test('get rooms under a name without an incarnation, the same through every gateway', async (t) => {
    const { make: makeAnother, gateway, list } = await make(t)
    await list('n1')
    const before = Date.now()
    const { node, issuedAt } = await gateway.assign(newRoom())
    t.strictSame(node, { id: 'n1', incarnation: '-', wssUrl: nodeRecord('n1').wssUrl })
    t.ok(issuedAt >= before - 1 && issuedAt <= Date.now() + 1, 'dated when it was asked for')
    const gateways = [gateway, makeAnother(), makeAnother()]
    for (const gateway of gateways) watch(gateway)
    for (const id of ['n2', 'n3', 'n4']) await list(id)
    await until(() => gateways.every((gateway) => gateway.nodes().length === 4))
    const used = new Set<string>()
    for (let count = 0; count < 50; count++) {
      const room = newRoom()
      const ids = idsOf(await Promise.all(gateways.map(async (gateway) => await gateway.assign(room))))
      t.equal(ids.length, 1)
      used.add(ids.join())
    }
    t.equal(used.size, 4)
  })

  t.test('all of them are found where they are many', async (t) => {
    const { gateway, list } = await make(t)
    const ids = Array.from({ length: MANY }, (_value, at) => `n${at + 1000}`)
    for (let at = 0; at < ids.length; at += 100) {
      await Promise.all(ids.slice(at, at + 100).map(async (id) => await list(id)))
    }
    watch(gateway)
    await until(() => gateway.nodes().length === MANY)
    t.strictSame(gateway.nodes().map(({ id }) => id).sort(), ids)
  })

  t.test('a room stays while its node is listed, and moves when it is not', async (t) => {
    const { gateway, list, unlist } = await make(t, LONG)
    await list('n1')
    await list('n2')
    const room = newRoom()
    const first = await nodeOf(gateway, room)
    t.equal(await nodeOf(gateway, room), first)
    await unlist(first)
    const second = await nodeOf(gateway, room)
    t.not(second, first)
    await list(first)
    t.equal(await nodeOf(gateway, room), second)
    await unlist(first)
    await unlist(second)
    await t.rejects(gateway.assign(room), { code: /^FST_COBROWSE_503/ })
  })

  t.test('a node that comes back under its name has its rooms again, unless they moved', async (t) => {
    const { gateway, list, unlist } = await make(t, LONG)
    await list('n1')
    const [kept, moved] = [newRoom(), newRoom()]
    t.strictSame([await nodeOf(gateway, kept), await nodeOf(gateway, moved)], ['n1', 'n1'])
    await list('n2')
    await unlist('n1')
    t.equal(await nodeOf(gateway, moved), 'n2')
    await list('n1')
    t.strictSame([await nodeOf(gateway, kept), await nodeOf(gateway, moved)], ['n1', 'n2'])
  })

  t.test('a room that nobody asked for is given anew after the linger', async (t) => {
    const { gateway, list } = await make(t)
    await list('n1')
    await list('n2')
    const [asked, forgotten] = [newRoom(), newRoom()]
    const elsewhere = (id: string) => ({ accepts: (node: NodeView) => node.id !== id })
    const first = { asked: await nodeOf(gateway, asked), forgotten: await nodeOf(gateway, forgotten) }
    for (let count = 0; count < 24; count++) {
      await elapse(goneAfterMs / 20, 'a small part of the linger, since machines are noisy')
      t.equal((await gateway.assign(asked, elsewhere(first.asked))).node.id, first.asked)
    }
    t.not((await gateway.assign(forgotten, elsewhere(first.forgotten))).node.id, first.forgotten)
  })

  t.test('records in another form are read by parse, and one that it cannot read spoils nothing', async (t) => {
    const { gateway, list, relist } = await make(t, { parse: parseWords })
    await list('n1', 'one.example:8443')
    await list('n2', 'garbage')
    await list('n3', 'x'.repeat(5000))
    await list('n 4', 'four.example')
    const { warnings } = watch(gateway)
    const rooms = Array.from({ length: 20 }, () => newRoom())
    for (const room of rooms) {
      const { node } = await gateway.assign(room)
      t.strictSame(node, { id: 'n1', incarnation: '-', wssUrl: 'wss://one.example:8443/ws/cobrowse/n1' })
    }
    const [bound = newRoom()] = rooms
    await gateway.assign(bound)
    await relist('n1', 'garbage')
    const reasonOf = (id: string) =>
      warnings.map((warning) => JSON.stringify(warning)).find((warning) => warning.includes(`"node":"${id}"`))
    const asked = await until(async () => {
      // Asked for all the time: what nobody asks for is not bound for long.
      const assignment = await gateway.assign(bound)
      return reasonOf('n1') !== undefined && assignment
    })
    t.equal(asked.node.wssUrl, 'wss://one.example:8443/ws/cobrowse/n1', 'the last good record of a bound node holds')
    const isRefused = async () =>
      await gateway.assign(newRoom()).then(() => false, (error) => error instanceof NoLiveNodeError)
    await until(isRefused, 'but not for new rooms')
    t.match(reasonOf('n2'), /cannot be parsed/)
    t.match(reasonOf('n3'), /must not be longer than 4096 bytes/)
    t.match(reasonOf('n 4'), /must be 1 to 64 of/)
    t.notMatch(JSON.stringify(warnings), /secret words|one\.example|xxx/)
  })

  t.test('cannot be joined through this registry', async (t) => {
    const { gateway } = await make(t)
    await t.rejects(gateway.join(nodeRecord('n1')), {
      name: 'TypeError', message: `"listed" option of ${name}: its nodes register by themselves`
    })
  })
}
