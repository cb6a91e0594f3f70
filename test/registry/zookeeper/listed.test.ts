import t from 'tap'
import { NoLiveNodeError, RegistrySettlingError } from '../../../lib/errors.js'
import { zookeeperRegistry } from '../../../lib/registry/zookeeper.js'
import { assignMany, idsOf, newRoom, nodeOf, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { listedContract } from '../../../lib/testing/index.js'
import { watch } from '../../support/redis-registry.js'
import { eventually, until } from '../../support/until.js'
import { connectClient } from '../../support/zookeeper-client.js'
import { FAST, makeRegistry, newRoot, STEADY } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { readListedRecords } from '../read-listed-records.js'
import type { Test } from 'tap'
import type { ZooKeeperClient } from '../../../lib/zookeeper-client/client.js'
import type { MakeListed } from '../../../types/contracts.js'
import type { ZooKeeperRegistryOptions } from '../../../types/index.js'
import type { ParseListed } from '../read-listed-records.js'

/** Ways in which an existing deployment may register its nodes. */
interface Layout {
  name: string
  parse?: ParseListed
  /** Data of the znode with this name. */
  dataOf (id: string): string
}

const LAYOUTS: Layout[] = [{
  name: 'by the data of its children',
  dataOf: (id) => JSON.stringify({ wssUrl: nodeRecord(id).wssUrl })
}, {
  name: 'by the names of its children',
  parse (text, id) {
    if (text !== '') throw new TypeError(text)
    return { wssUrl: nodeRecord(id).wssUrl }
  },
  dataOf: () => ''
}]

/** Maximum milliseconds of a request on a busy machine. */
const PATIENT = { ms: 10_000 }

async function writeNode (client: ZooKeeperClient, path: string, text: string): Promise<void> {
  const data = Buffer.from(text)
  if (await client.exists(path, PATIENT) === undefined) await client.create(path, data, { ephemeral: true, ...PATIENT })
  else await client.multi([{ type: 'set', path, data }], PATIENT)
}

t.test('nodes registered by another program', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)

  type Times = Pick<ZooKeeperRegistryOptions, 'linger' | 'sessionTimeout'>

  async function setUp (t: Test, { parse, dataOf }: Layout, times: Times = {}) {
    const root = newRoot()
    const path = `${root}-relays`
    const { client } = await connectClient(t, hosts)
    await client.create(path, Buffer.alloc(0), PATIENT)
    const make = () => makeRegistry(t, hosts, { listed: { path }, root, ...times, ...parse && { parse } })
    return {
      path,
      make,
      gateway: make(),
      list: async (id: string, data = dataOf(id)) =>
        t.equal(await client.create(`${path}/${id}`, Buffer.from(data), { ephemeral: true, ...PATIENT }), 'ok'),
      relist: async (id: string, data: string) =>
        await client.multi([{ type: 'set', path: `${path}/${id}`, data: Buffer.from(data) }], PATIENT),
      /** Applies the changes in one transaction. */
      unlist: async (...ids: string[]) =>
        await client.multi(ids.map((id) => ({ type: 'remove', path: `${path}/${id}` })), PATIENT)
    }
  }

  t.test('nodes that Curator registers – by the example of the page – are found, with their drain', async (t) => {
    const instance = (id: string, payload: object | null = null) => JSON.stringify({
      name: 'relay', id, address: `${id}.example`, port: null, sslPort: 8443, payload, serviceType: 'DYNAMIC', uriSpec: null
    })
    const { gateway, list, relist } = await setUp(t, {
      name: 'Curator',
      dataOf: instance,
      parse (text, id) {
        const { address, sslPort, payload } = JSON.parse(text)
        return { wssUrl: `wss://${address}:${sslPort}/ws/cobrowse/${id}`, draining: payload?.draining === true }
      }
    })
    watch(gateway)
    for (const id of ['n1', 'n2']) await list(id)
    await eventually(() => gateway.nodes().length, 2)
    t.match((await gateway.assign(newRoom())).node.wssUrl, /^wss:\/\/(n[12])\.example:8443\/ws\/cobrowse\/\1$/)
    await relist('n1', instance('n1', { draining: true }))
    await until(() => gateway.nodes().some(({ id, draining }) => id === 'n1' && draining), 'the drain')
    for (let count = 0; count < 5; count++) t.equal((await gateway.assign(newRoom())).node.id, 'n2')
  })

  t.test('the end of a call – can be read by a listed node where the page says', async (t) => {
    const root = newRoot()
    const path = `${root}-relays`
    const { client } = await connectClient(t, hosts)
    await client.create(path, Buffer.alloc(0), PATIENT)
    await client.create(`${path}/n1`, Buffer.from(JSON.stringify({ wssUrl: nodeRecord('n1').wssUrl })), PATIENT)
    const gateway = makeRegistry(t, hosts, { listed: { path }, root, ...STEADY, linger: 20 })
    const room = { tenant: 't1', room: 'r1' }
    const { issuedAt } = await gateway.assign(room)
    await gateway.end?.(room)
    // The name of the room is the one that the contract on Redis gives as its example.
    const znode = `${root}/rooms/iE/iE9F1qzdF8WNrryTI9A7rJ-pYA3NylNz_CM5sPYwCW8`
    const { data } = await client.get(znode, PATIENT) ?? {}
    const [id, incarnation, state, , endedAt] = String(data).split('|')
    t.strictSame([id, incarnation, state], ['n1', '-', 'released'])
    t.ok(Number(endedAt) >= issuedAt)
  })

  for (const layout of LAYOUTS) {
    t.test(layout.name, async (t) => {
      t.jobs = 4

      t.test('contract', async (t) => {
        t.jobs = 8
        const { client } = await connectClient(t, hosts, STEADY)
        const make: MakeListed = async ({ linger }) => {
          const root = newRoot()
          const path = `${root}-relays`
          await client.create(path, Buffer.alloc(0), PATIENT)
          const write = async (id: string, text: string) => await writeNode(client, `${path}/${id}`, text)
          const { parse, dataOf } = layout
          const another = () =>
            zookeeperRegistry({ hosts, root, ...STEADY, linger, listed: { path }, ...parse && { parse } })
          return {
            registry: another(),
            another,
            list: async (id) => await write(id, dataOf(id)),
            spoil: write,
            unlist: async (id) => await client.multi([{ type: 'remove', path: `${path}/${id}` }], PATIENT)
          }
        }
        await listedContract({ test: t.test }, make)
      })

      readListedRecords(t, 'zookeeperRegistry', async (t, parse) => {
        const { gateway, list, relist } = await setUp(t, { ...layout, parse })
        return { gateway, list, relist }
      })

      t.test('most listed nodes gone at once – are missed: their rooms stay for a while', async (t) => {
        // The rooms stay for a session and 2 s, in which a busy machine has to take four steps.
        const { gateway, list, unlist } = await setUp(t, layout, { linger: 60, sessionTimeout: 10_000 })
        watch(gateway)
        for (const id of ['n1', 'n2', 'n3']) await list(id)
        await eventually(() => gateway.nodes().length, 3)
        const room = newRoom()
        const { node: { id } } = await gateway.assign(room, { selectNode: (nodes) => nodes.filter(({ id }) => id !== 'n3') })
        await unlist('n1', 'n2')
        await eventually(() => gateway.status().state, 'degraded')
        await t.rejects(gateway.assign(room), RegistrySettlingError)
        t.equal(await nodeOf(gateway), 'n3', 'new rooms go to the remaining node')
        await list(id)
        t.equal(await nodeOf(gateway, room), id)
        await unlist(id)
        await eventually(() => gateway.status().state, 'up')
        t.equal(await nodeOf(gateway, room), 'n3', 'the rooms move after the wait')
      })

      t.test('an invalid name – costs that node only, and is logged', async (t) => {
        const { gateway, list } = await setUp(t, layout)
        const names = ['n 2', 'n~3', 'n|4', '节点', 'x'.repeat(65)]
        for (const name of names) await list(name)
        await list('n-1')
        const { warnings } = watch(gateway)
        await until(() => gateway.nodes().length > 0)
        t.strictSame(idsOf(await assignMany(gateway, 20)), ['n-1'])
        t.equal(warnings.length, names.length, 'each once')
        t.match(warnings, names.map(() => ({ reason: /must be 1 to 64 of|is not registered as id\|incarnation/ })))
      })
    })
  }

  t.test('a missing path – is left to the program that registers the nodes', async (t) => {
    const { client } = await connectClient(t, hosts)
    const root = newRoot()
    const path = `${root}-relays`
    const gateway = makeRegistry(t, hosts, { root, listed: { path }, auth: 'gateway:password' })
    watch(gateway)
    await eventually(() => gateway.status().state, 'up')
    await t.rejects(gateway.assign(newRoom()), NoLiveNodeError)
    t.equal(await client.exists(path), undefined)
    await client.create(path, Buffer.alloc(0))
    const data = Buffer.from(JSON.stringify({ wssUrl: nodeRecord('n1').wssUrl }))
    await client.create(`${path}/n1`, data, { ephemeral: true })
    await eventually(() => gateway.nodes().length, 1)
    t.equal(await nodeOf(gateway), 'n1')
  })

  t.test('an invalid path – stops the start', async (t) => {
    for (const path of ['relays', '/relays/', '/a//b', '/a/../b', '/a/.', '/a\u0085', '/']) {
      t.throws(() => makeRegistry(t, hosts, { listed: { path } }), { name: 'TypeError', message: /^"listed/ }, path)
      t.throws(() => makeRegistry(t, hosts, { root: path }), { name: 'TypeError', message: /^"root" option of/ }, path)
    }
    t.doesNotThrow(() => makeRegistry(t, hosts, { root: '/a/.b/..c/节点' }))
  })

  t.test('a node whose session expired – is gone for all gateways', async (t) => {
    const { make, path } = await setUp(t, { name: '', dataOf: () => '' })
    const { client } = await connectClient(t, hosts, { sessionTimeout: FAST.sessionTimeout })
    const data = Buffer.from(JSON.stringify({ wssUrl: nodeRecord('n1').wssUrl }))
    await client.create(`${path}/n1`, data, { ephemeral: true })
    const gateway = make()
    t.equal(await nodeOf(gateway), 'n1')
    await client.close()
    await t.rejects(gateway.assign(newRoom()), NoLiveNodeError)
  })

  t.test('10,000 nodes – are all read, and one more is reported as too many', async (t) => {
    const root = newRoot()
    const { client } = await connectClient(t, hosts)
    const list = async (ids: string[]) => {
      for (let at = 0; at < ids.length; at += 1000) {
        const ops = ids.slice(at, at + 1000).map((id) => (
          { type: 'create' as const, path: `${root}/${id}`, data: Buffer.alloc(0) }
        ))
        t.equal(await client.multi(ops, PATIENT), undefined)
      }
    }
    await client.create(root, Buffer.alloc(0), PATIENT)
    await list(Array.from({ length: 10_000 }, (_value, number) => `n${number}`))
    const parse = (_text: string, id: string) => ({ wssUrl: nodeRecord(id).wssUrl })
    const registry = makeRegistry(t, hosts, { listed: { path: root }, root: newRoot(), parse, sessionTimeout: 20_000 })
    watch(registry)
    await until(() => registry.nodes().length > 0)
    t.equal(registry.nodes().length, 10_000)
    await until(() => registry.status().state !== 'starting')
    t.match(registry.status(), { state: 'up' })
    await list(['one-more'])
    await eventually(() => registry.status().reason, /more than 10000 nodes/)
  })
})
