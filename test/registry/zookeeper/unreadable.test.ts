import { randomUUID } from 'node:crypto'
import t from 'tap'
import { bucketOf, ensurePath } from '../../../lib/registry/zookeeper/layout.js'
import { eventually, until } from '../../support/until.js'
import { startAdmin } from '../../support/zookeeper-admin.js'
import {
  claim, newSettings, NOISE_MS, observe, roomKey, startGateway, startNodes, timed,
  untilOk
} from '../../support/zookeeper-app.js'
import { kindsOf } from '../../support/zookeeper-load.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'

t.test('data that is unreadable or forbidden', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  t.jobs = 2

  t.test('unreadable data of a node – costs that node only, until repaired', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { good } = await startNodes(t, server.port, settings, gateway, ['good'])
    const { write } = await observe(t, server.hosts, settings.root)
    const bad = {
      garbage: '{"wssUrl":', evil: '{"wssUrl":"wss://evil.example@x.example/"}', huge: `"${'x'.repeat(900_000)}"`, empty: ''
    }
    for (const [id, record] of Object.entries(bad)) await write(id, record)
    await write('spoilt', '{"wssUrl":"wss://spoilt.example/ws"}')
    await eventually(() => gateway.registry.nodes().length, 2)
    const room = await until(async () => {
      const id = `room-${randomUUID()}`
      return (await untilOk(gateway, id)).wssUrl === 'wss://spoilt.example/ws' && id
    })
    await write('spoilt', 'garbage')
    await eventually(() => gateway.registry.nodes().length, 1)
    t.match(await gateway.ask(room), { kind: 'ok', wssUrl: 'wss://spoilt.example/ws' }, 'known by its last good record')
    for (let at = 0; at < 20; at++) t.equal((await untilOk(gateway, `new-${at}`)).wssUrl, good.wssUrl)
    for (const id of Object.keys(bad)) await write(id, `{"wssUrl":"wss://${id}.example/ws"}`)
    const ms = await timed(until(() => gateway.registry.nodes().length === 5))
    t.ok(ms < 1000 + NOISE_MS, `repaired after ${ms} ms`)
  })

  t.test('data that ZooKeeper refuses to show – is no death: the last view is kept, and known rooms stay', async (t) => {
    const settings = { ...newSettings(), sessionTimeout: 20_000 }
    const gateway = await startGateway(t, server.hosts, settings)
    const nodes = await startNodes(t, server.port, settings, gateway, ['n1', 'n2'])
    const { layout, client, write } = await observe(t, server.hosts, settings.root)
    const { lock, unlock } = await startAdmin(t, server.hosts)
    await claim(nodes.n1.member, 'room')
    await untilOk(gateway, 'room')

    await lock(layout.nodes)
    await eventually(() => gateway.registry.status().state, 'degraded')
    t.match(gateway.registry.status().reason, 'NO_AUTH')
    t.equal(gateway.registry.nodes().length, 2)
    t.strictSame(await kindsOf(gateway, ['room', 'new']), ['ok', 'ok'])
    await unlock(layout.nodes)
    await until(() => gateway.registry.status().state === 'up', 'the registry to be up again', 3000 + NOISE_MS)

    await write('hidden', '{"wssUrl":"wss://hidden.example/ws"}')
    await eventually(() => gateway.registry.nodes().length, 3)
    const ofHidden = await until(async () => {
      const room = `room-${randomUUID()}`
      return (await untilOk(gateway, room)).wssUrl === 'wss://hidden.example/ws' && room
    })
    await lock(layout.nodePath('hidden|x'))
    t.strictSame(await kindsOf(gateway, [ofHidden]), ['join-only'], 'a hidden node is not dead')
    await write('comes', '{"wssUrl":"wss://comes.example/ws"}')
    await until(() => gateway.registry.nodes().some(({ id }) => id === 'comes'), 'other nodes to be read')
    await unlock(layout.nodePath('hidden|x'))
    t.equal((await untilOk(gateway, ofHidden)).wssUrl, 'wss://hidden.example/ws')

    const known = layout.roomPath(layout.roomKey(roomKey('room')))
    const bucket = layout.bucketPath(bucketOf(layout.roomKey(roomKey('fresh'))))
    await ensurePath(client, bucket)
    for (const locked of [known, bucket]) await lock(locked)
    t.strictSame(await kindsOf(gateway, ['room', 'fresh']), ['join-only', '50302'])
    for (const locked of [known, bucket]) await unlock(locked)
    const ms = await timed(Promise.all([untilOk(gateway, 'room'), untilOk(gateway, 'fresh')]))
    t.ok(ms < 3000 + NOISE_MS)
    t.strictSame(nodes.n1.events, [])
  })
})
