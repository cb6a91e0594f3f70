import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { NoLiveNodeError, RegistrySettlingError } from '../../../lib/errors.js'
import { patient, watch } from '../../support/redis-registry.js'
import { until } from '../../support/until.js'
import { connectClient } from '../../support/zookeeper-client.js'
import { FAST, GONE_AFTER_MS, makeRegistry, newRoot } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { assignMany, idsOf, newRoom, nodeRecord } from '../contract.js'
import type { Test } from 'tap'
import type { NodeView, Registry, ZooKeeperRegistryOptions } from '../../../types/index.js'

/** One way in which an existing deployment may register its nodes. */
interface Layout {
  name: string
  parse?: ZooKeeperRegistryOptions['parse']
  /** What a node with this name has for its data. */
  dataOf (id: string): string
}

const LAYOUTS: Layout[] = [{
  name: 'by the data of its children',
  dataOf: (id) => JSON.stringify({ wssUrl: nodeRecord(id).wssUrl })
}, {
  name: 'by the names of its children',
  parse: (_text, id) => ({ wssUrl: nodeRecord(id).wssUrl }),
  dataOf: () => ''
}]

/** Milliseconds of a call, on a busy machine. */
const PATIENT = { ms: 10_000 }

type Options = Omit<ZooKeeperRegistryOptions, 'hosts'>

const nodeOf = async (gateway: Registry, room = newRoom()) => (await gateway.assign(room)).node.id

t.test('nodes that something else registers', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)

  async function setUp (t: Test, layout: Layout, options: Options = {}) {
    const root = newRoot()
    const path = `${root}-relays`
    const { client } = await connectClient(t, hosts)
    await client.create(path, Buffer.alloc(0), PATIENT)
    const listed = { listed: { path }, ...layout.parse && { parse: layout.parse }, root, ...options }
    const make = () => patient(makeRegistry(t, hosts, listed))
    return {
      client,
      path,
      root,
      make,
      gateway: make(),
      list: async (id: string, data = layout.dataOf(id)) =>
        t.equal(await client.create(`${path}/${id}`, Buffer.from(data), { ephemeral: true, ...PATIENT }), 'ok'),
      /** In one step. */
      unlist: async (...ids: string[]) =>
        await client.multi(ids.map((id) => ({ type: 'remove', path: `${path}/${id}` })), PATIENT)
    }
  }

  for (const layout of LAYOUTS) {
    t.test(layout.name, async (t) => {
      t.jobs = 4
      t.test('get rooms under a name without an incarnation, the same through every gateway', async (t) => {
        const { make, gateway, list } = await setUp(t, layout)
        await list('n1')
        const before = Date.now()
        const { node, issuedAt } = await gateway.assign(newRoom())
        t.strictSame(node, { id: 'n1', incarnation: '-', wssUrl: 'wss://n1.example/ws/cobrowse/1' })
        t.ok(issuedAt >= before && issuedAt <= Date.now(), 'dated by the gateway, when it asked')
        const gateways = [gateway, make(), make()]
        for (const gateway of gateways) watch(gateway)
        for (const id of ['n2', 'n3', 'n4']) await list(id)
        await until(() => gateways.every((gateway) => gateway.nodes().length === 4))
        const used = new Set<string>()
        for (let count = 0; count < 50; count++) {
          const room = newRoom()
          const assignments = await Promise.all(gateways.map(async (gateway) => await gateway.assign(room)))
          t.equal(idsOf(assignments).length, 1)
          for (const id of idsOf(assignments)) used.add(id)
        }
        t.equal(used.size, 4)
      })

      t.test('all of them are found where they are many', async (t) => {
        const { gateway, list } = await setUp(t, layout)
        const ids = Array.from({ length: 1200 }, (_value, at) => `n${at + 1000}`)
        for (let at = 0; at < ids.length; at += 100) {
          await Promise.all(ids.slice(at, at + 100).map(async (id) => await list(id)))
        }
        watch(gateway)
        await until(() => gateway.nodes().length === 1200)
        t.strictSame(gateway.nodes().map(({ id }) => id).sort(), ids)
      })

      t.test('a room stays while its node is registered, and moves when it is not', async (t) => {
        const { gateway, list, unlist } = await setUp(t, layout)
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
        await t.rejects(gateway.assign(room))
      })

      t.test('a node that comes back under its name has its rooms again, unless they moved', async (t) => {
        const { gateway, list, unlist } = await setUp(t, layout)
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
        const { gateway, list } = await setUp(t, layout)
        await list('n1')
        await list('n2')
        const [asked, forgotten] = [newRoom(), newRoom()]
        const elsewhere = (id: string) => ({ accepts: (node: NodeView) => node.id !== id })
        const first = { asked: await nodeOf(gateway, asked), forgotten: await nodeOf(gateway, forgotten) }
        for (let count = 0; count < 6; count++) {
          await sleep(GONE_AFTER_MS / 5)
          t.equal((await gateway.assign(asked, elsewhere(first.asked))).node.id, first.asked)
        }
        t.not((await gateway.assign(forgotten, elsewhere(first.forgotten))).node.id, first.forgotten)
      })

      t.test('most of them gone at once are missed: their rooms stay for a while', async (t) => {
        const { gateway, list, unlist } = await setUp(t, layout)
        watch(gateway)
        for (const id of ['n1', 'n2', 'n3']) await list(id)
        await until(() => gateway.nodes().length === 3)
        const room = newRoom()
        const { node: { id } } = await gateway.assign(room, { selectNode: (nodes) => nodes.filter(({ id }) => id !== 'n3') })
        await unlist('n1', 'n2')
        await until(() => gateway.status().state === 'degraded')
        await t.rejects(gateway.assign(room), RegistrySettlingError)
        t.equal(await nodeOf(gateway), 'n3', 'new rooms go to who is there')
        await list(id)
        t.equal(await nodeOf(gateway, room), id)
        await unlist(id)
        await until(() => gateway.status().state === 'up')
        t.equal(await nodeOf(gateway, room), 'n3', 'and after that they move')
      })

      t.test('a name that is none costs that node only, and is logged', async (t) => {
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

  t.test('records in another form are read by parse, and one that it cannot read spoils nothing', async (t) => {
    const parse: ZooKeeperRegistryOptions['parse'] = (text, id) => {
      if (text === 'garbage') throw new Error('secret words')
      return { wssUrl: `wss://${text}/ws/cobrowse/${id}` }
    }
    const { client, path, gateway, list } = await setUp(t, { name: '', dataOf: () => '', parse })
    await list('n1', 'one.example:8443')
    await list('n2', 'garbage')
    await list('n3', 'x'.repeat(5000))
    const { warnings } = watch(gateway)
    const rooms = Array.from({ length: 20 }, () => newRoom())
    for (const room of rooms) {
      const { node } = await gateway.assign(room)
      t.strictSame(node, { id: 'n1', incarnation: '-', wssUrl: 'wss://one.example:8443/ws/cobrowse/n1' })
    }
    await client.multi([{ type: 'set', path: `${path}/n1`, data: Buffer.from('garbage') }])
    const reasons = () => warnings.map((warning) => JSON.stringify(warning))
    await until(() => reasons().some((reason) => reason.includes('n1')))
    const asked = await gateway.assign(rooms[0] ?? newRoom())
    t.equal(asked.node.wssUrl, 'wss://one.example:8443/ws/cobrowse/n1', 'the last good record of a bound node holds')
    await t.rejects(gateway.assign(newRoom()), NoLiveNodeError, 'but not for new rooms')
    t.match(reasons().find((reason) => reason.includes('n2')), /cannot be parsed/)
    t.match(reasons().find((reason) => reason.includes('n3')), /must not be longer than 4096 bytes/)
    t.notMatch(reasons().join(), /secret words|one\.example|xxx/)
  })

  t.test('a path that is not there is left to who registers the nodes', async (t) => {
    const { client } = await connectClient(t, hosts)
    const root = newRoot()
    const path = `${root}-relays`
    const gateway = makeRegistry(t, hosts, { root, listed: { path }, auth: 'gateway:password' })
    watch(gateway)
    await until(() => gateway.status().state === 'up')
    await t.rejects(gateway.assign(newRoom()), NoLiveNodeError)
    t.equal(await client.exists(path), undefined)
    await client.create(path, Buffer.alloc(0))
    const data = Buffer.from(JSON.stringify({ wssUrl: nodeRecord('n1').wssUrl }))
    await client.create(`${path}/n1`, data, { ephemeral: true })
    await until(() => gateway.nodes().length === 1)
    t.equal(await nodeOf(gateway), 'n1')
  })

  t.test('a path that is none stops the start', async (t) => {
    for (const path of ['relays', '/relays/', '/a//b', '/a/../b', '/a/.', '/a\u0085', '/']) {
      t.throws(() => makeRegistry(t, hosts, { listed: { path } }), { name: 'TypeError', message: /^"listed/ }, path)
      t.throws(() => makeRegistry(t, hosts, { root: path }), { name: 'TypeError', message: /^"root" option of/ }, path)
    }
    t.doesNotThrow(() => makeRegistry(t, hosts, { root: '/a/.b/..c/节点' }))
  })

  t.test('cannot be joined through this registry', async (t) => {
    const gateway = makeRegistry(t, hosts, { listed: { path: '/relays' } })
    await t.rejects(gateway.join(nodeRecord('n1')), {
      name: 'TypeError', message: '"listed" option of zookeeperRegistry: its nodes register by themselves'
    })
  })

  t.test('a node whose session ended is gone for all', async (t) => {
    const { make, path } = await setUp(t, { name: '', dataOf: () => '' })
    const { client } = await connectClient(t, hosts, { sessionTimeout: FAST.sessionTimeout })
    const data = Buffer.from(JSON.stringify({ wssUrl: nodeRecord('n1').wssUrl }))
    await client.create(`${path}/n1`, data, { ephemeral: true })
    const gateway = make()
    t.equal(await nodeOf(gateway), 'n1')
    await client.close()
    await t.rejects(gateway.assign(newRoom()), NoLiveNodeError)
  })
})
