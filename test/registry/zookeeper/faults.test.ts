import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { redisRegistry } from '../../../lib/index.js'
import { bucketOf, ensurePath } from '../../../lib/registry/zookeeper/layout.js'
import { zookeeper } from '../../../lib/registry/zookeeper-client/package.js'
import { buildApp } from '../../support/build-app.js'
import { grant, reply, startFakeZooKeeper } from '../../support/fake-zookeeper.js'
import { connect, skipSettling } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import {
  newSettings, NOISE_MS, observe, roomKey, SESSION_MS, startGateway, startNode, startNodes, startProxied, timed, untilOk
} from '../../support/zookeeper-app.js'
import { askMany, kindsOf } from '../../support/zookeeper-load.js'
import { makeRegistry } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { Acl, Client } from '../../../lib/registry/zookeeper-client/package.js'

const AUTH_FAILED = -115

/** What the package has and the registry has no use for. */
interface Admin extends Client {
  setACL (path: string, acl: Acl, version: number, callback: (error: Error | null) => void): void
}

// An abandoned call that fails later must not end the process.
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

/** Who may change what others may see. */
async function startAdmin (t: Test, hosts: string) {
  const client = zookeeper.createClient(hosts, { sessionTimeout: 20_000, retries: 0 }) as Admin
  client.addAuthInfo('digest', Buffer.from('admin:secret'))
  client.connect()
  await once(client, 'connected')
  t.teardown(() => client.close())
  const set = async (path: string, acl: Acl) => await new Promise<void>((resolve, reject) => {
    client.setACL(path, acl, -1, (error) => error ? reject(error) : resolve())
  })
  return {
    lock: async (path: string) => await set(path, zookeeper.ACL.CREATOR_ALL_ACL),
    unlock: async (path: string) => await set(path, zookeeper.ACL.OPEN_ACL_UNSAFE)
  }
}

/** Takes a connection of the server, and does nothing with it. */
async function occupy (t: Test, port: number) {
  for (;;) {
    const socket = createConnection(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    t.teardown(() => socket.destroy())
    // One too many is closed at once.
    await sleep(300)
    if (socket.readyState === 'open') return socket
  }
}

const portOf = (hosts: string) => Number(hosts.split(':')[1])

t.test('one server for all', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  t.jobs = 3

  t.test('Z-03: a connection that is lost for less than the session: what changed meanwhile is read anew', async (t) => {
    const settings = { ...newSettings(), sessionTimeout: 10_000 }
    const { gateway, proxy } = await startProxied(t, server.port, settings)
    const { stays, leaves } = await startNodes(t, server.port, settings, gateway, ['stays', 'leaves'])
    t.equal(await stays.member.claim(roomKey('room')), 'ok')
    await untilOk(gateway, 'room')
    proxy.set('refuse')
    await until(() => gateway.registry.status().state === 'down')
    const { kinds, medianMs } = await askMany(gateway.ask, ['room', 'new'])
    t.strictSame(kinds, ['50302', 'join-only'])
    t.ok(medianMs < 100, `answered within ${medianMs} ms`)
    await stays.member.drain()
    await leaves.member.leave()
    await leaves.registry.join({ id: 'comes', wssUrl: 'wss://comes.example/ws' })
    proxy.set('pass')
    const isKnown = () => gateway.registry.nodes().length === 2 &&
      gateway.registry.nodes().every(({ id, draining }) => id === (draining ? 'stays' : 'comes'))
    const [okMs, readMs] = await Promise.all([timed(untilOk(gateway, 'room')), timed(until(isKnown))])
    t.comment(`answered ${okMs} ms after the cut, all nodes known after ${readMs} ms`)
    t.ok(okMs < 1000 + NOISE_MS && readMs < 1000 + NOISE_MS)
    t.match(await untilOk(gateway, 'new'), { wssUrl: 'wss://comes.example/ws' })
  })

  t.test('Z-06: the session of a gateway expires: it begins a new one, and sees all anew', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { node } = await startNodes(t, server.port, settings, gateway, ['node'])
    // Tells the session of the gateway, which owns nothing by itself.
    const own = await gateway.registry.join({ id: 'own', wssUrl: 'wss://own.example/ws', draining: true })
    await until(() => gateway.registry.nodes().length === 2)
    await untilOk(gateway, 'room')
    const observer = await observe(t, server.hosts, settings.root)
    const before = await observer.sessionOf(own)
    await server.expire(before)
    const kinds = new Set<string>()
    const ms = await timed(until(async () => {
      kinds.add((await gateway.ask('room')).kind)
      const session = await observer.sessionOf(own)
      return session !== undefined && session !== before && (await gateway.ask('new')).kind === 'ok'
    }))
    t.comment(`on a new session ${ms} ms after the old one expired`)
    t.ok(ms < 2000 + NOISE_MS)
    t.strictSame([...kinds].filter((kind) => kind !== 'ok' && kind !== 'join-only'), [])
    await node.member.drain()
    const hintMs = await timed(until(() => gateway.registry.nodes().every(({ draining }) => draining)))
    t.ok(hintMs < 1000 + NOISE_MS, 'watches are new too')
    t.strictSame(node.events, [])
  })

  t.test('Z-06: the session of a node expires: it hears of rooms that went elsewhere, and keeps the others', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { expires, stays } = await startNodes(t, server.port, settings, gateway, ['expires', 'stays'])
    const { member, events, proxy, wssUrl } = expires
    for (const room of ['asked', 'unasked']) t.equal(await member.claim(roomKey(room)), 'ok')
    const lost: string[] = []
    member.on('lost', ({ room }) => lost.push(room))
    const { incarnation } = member
    const observer = await observe(t, server.hosts, settings.root)
    proxy.set('refuse')
    await server.expire(await observer.sessionOf(member))
    t.equal((await untilOk(gateway, 'asked')).wssUrl, stays.wssUrl)
    proxy.set('pass')
    await until(() => events.includes('resumed'))
    t.strictSame(events, ['lapsed', 'lost', 'resumed'])
    t.strictSame(lost, ['asked'])
    t.not(member.incarnation, incarnation)
    t.strictSame(['asked', 'unasked'].map((room) => member.holds(roomKey(room))), [false, true])
    t.equal((await untilOk(gateway, 'unasked')).wssUrl, wssUrl)
    t.equal((await untilOk(gateway, 'asked')).wssUrl, stays.wssUrl)
    t.strictSame(stays.events, [])
  })

  t.test('Z-09: what cannot be read of a node costs that node only, until it is mended', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { good } = await startNodes(t, server.port, settings, gateway, ['good'])
    const { write } = await observe(t, server.hosts, settings.root)
    const bad = {
      garbage: '{"wssUrl":', evil: '{"wssUrl":"wss://evil.example@x.example/"}', huge: `"${'x'.repeat(900_000)}"`, empty: ''
    }
    for (const [id, record] of Object.entries(bad)) await write(id, record)
    await write('spoilt', '{"wssUrl":"wss://spoilt.example/ws"}')
    await until(() => gateway.registry.nodes().length === 2)
    const room = await until(async () => {
      const id = `room-${Math.random()}`
      return (await untilOk(gateway, id)).wssUrl === 'wss://spoilt.example/ws' && id
    })
    await write('spoilt', 'garbage')
    await until(() => gateway.registry.nodes().length === 1)
    t.match(await gateway.ask(room), { kind: 'ok', wssUrl: 'wss://spoilt.example/ws' }, 'known by its last good record')
    for (let at = 0; at < 20; at++) t.equal((await untilOk(gateway, `new-${at}`)).wssUrl, good.wssUrl)
    for (const id of Object.keys(bad)) await write(id, `{"wssUrl":"wss://${id}.example/ws"}`)
    const ms = await timed(until(() => gateway.registry.nodes().length === 5))
    t.ok(ms < 1000 + NOISE_MS, `mended after ${ms} ms`)
  })

  t.test('Z-10: what ZooKeeper refuses to show is no death: the last view is kept, and known rooms stay', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const nodes = await startNodes(t, server.port, settings, gateway, ['n1', 'n2'])
    const { layout, client, write } = await observe(t, server.hosts, settings.root)
    const { lock, unlock } = await startAdmin(t, server.hosts)
    t.equal(await nodes.n1.member.claim(roomKey('room')), 'ok')
    await untilOk(gateway, 'room')

    await lock(layout.nodes)
    await until(() => gateway.registry.status().state === 'degraded')
    t.match(gateway.registry.status().reason, 'NO_AUTH')
    t.equal(gateway.registry.nodes().length, 2)
    t.strictSame(await kindsOf(gateway, ['room', 'new']), ['ok', 'ok'])
    await unlock(layout.nodes)
    await until(() => gateway.registry.status().state === 'up', 'it is well again', 3000 + NOISE_MS)

    await write('hidden', '{"wssUrl":"wss://hidden.example/ws"}')
    await until(() => gateway.registry.nodes().length === 3)
    const ofHidden = await until(async () => {
      const room = `room-${Math.random()}`
      return (await untilOk(gateway, room)).wssUrl === 'wss://hidden.example/ws' && room
    })
    await lock(layout.nodePath('hidden|x'))
    t.strictSame(await kindsOf(gateway, [ofHidden]), ['join-only'], 'that a node may not be seen is not its death')
    await write('comes', '{"wssUrl":"wss://comes.example/ws"}')
    await until(() => gateway.registry.nodes().some(({ id }) => id === 'comes'), 'other nodes are read all the same')
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

  t.test('Z-11: credentials that are refused are said to be, and tried again', async (t) => {
    const settings = { ...newSettings(), auth: 'cobrowse:secret' }
    const { gateway, proxy } = await startProxied(t, server.port, settings)
    const fake = await startFakeZooKeeper(t, {
      connect (socket) {
        socket.write(grant(SESSION_MS))
        socket.end(reply(-4, AUTH_FAILED))
      }
    })
    await startNodes(t, server.port, settings, gateway, ['node'])
    await untilOk(gateway, 'room')
    proxy.retarget(portOf(fake.hosts))
    await until(() => gateway.registry.status().reason === 'ZooKeeper refuses the credentials')
    t.equal(gateway.registry.status().state, 'down')
    const { kinds, medianMs } = await askMany(gateway.ask, ['room', 'new'])
    t.strictSame(kinds, ['50302', 'join-only'])
    t.ok(medianMs < 100, `answered within ${medianMs} ms`)
    proxy.retarget(server.port)
    const ms = await timed(untilOk(gateway, 'room'))
    t.comment(`answered ${ms} ms after the credentials were good again`)
    t.ok(ms < 6000 + 1000 + NOISE_MS)
  })

  t.test('Z-15: of two processes with one id the older one is told, and does not come back', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { same: first } = await startNodes(t, server.port, settings, gateway, ['same'])
    const start = async (number: number) =>
      await startNode(t, server.port, 'same', settings, { wssUrl: `wss://same.example/${number}` })
    t.equal(await first.member.claim(roomKey('room')), 'ok')
    const second = await start(2)
    await until(() => first.events.includes('replaced'), 'it hears so', SESSION_MS / 3 + 1000 + NOISE_MS)
    t.match(await untilOk(gateway, 'room'), { wssUrl: 'wss://same.example/2' })
    t.equal(await second.member.claim(roomKey('room')), 'ok', 'what the older one claimed is free')

    second.proxy.set('refuse')
    const third = await start(3)
    await until(() => second.events.includes('lapsed'))
    second.proxy.set('pass')
    await until(() => second.events.includes('replaced'), 'also one that was cut off meanwhile')
    await sleep(SESSION_MS)
    const members = [first, second, third].map(({ member }) => member)
    t.strictSame(members.map((member) => member.valid()), [false, false, true])
    t.strictSame(gateway.registry.nodes().map(({ incarnation }) => incarnation), [third.member.incarnation])
    t.match(await untilOk(gateway, 'room'), { wssUrl: 'wss://same.example/3' })
    t.strictSame([first, second, third].map(({ events }) => events.filter((event) => event !== 'lapsed')),
      [['replaced'], ['replaced'], []])
  })

  t.test('Z-19: what is no answer of ZooKeeper costs the connection, and neither memory nor the process', async (t) => {
    const settings = newSettings()
    const { gateway, proxy } = await startProxied(t, server.port, settings)
    await startNodes(t, server.port, settings, gateway, ['node'])
    await untilOk(gateway, 'room')
    const length = (bytes: number) => Buffer.from(Int32Array.of(bytes).buffer).swap32()
    let said = Buffer.alloc(0)
    const fake = await startFakeZooKeeper(t, { connect: (socket) => socket.write(said) })
    const held = () => process.memoryUsage().arrayBuffers + process.memoryUsage().external
    const before = held()
    for (const bytes of [
      length(-1),
      Buffer.concat([length(2 ** 31 - 1), Buffer.alloc(100_000)]),
      Buffer.concat([length(8), Buffer.alloc(8)]),
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
    ]) {
      said = bytes
      const { accepted } = fake
      proxy.retarget(portOf(fake.hosts))
      await until(() => fake.accepted >= accepted + 2 && gateway.registry.status().state === 'down')
      t.strictSame((await askMany(gateway.ask, ['room', 'new'])).kinds, ['50302', 'join-only'])
    }
    await until(() => gateway.registry.status().reason === 'ZooKeeper sent what is no answer')
    t.ok(held() - before < 8 * 1024 * 1024)
    proxy.retarget(server.port)
    const ms = await timed(untilOk(gateway, 'room'))
    t.comment(`answered ${ms} ms after the garbage`)
    t.ok(ms < 2000 + NOISE_MS)
  })

  t.test('Z-22: a registry on ZooKeeper that is not the one of the plugin does nothing', {
    skip: withoutRedis
  }, async (t) => {
    const redis = connect(t, (await startRedis(t)).port)
    await skipSettling(redis)
    const registry = redisRegistry({ redis })
    const fake = await startFakeZooKeeper(t, { connect () {} })
    const unused = makeRegistry(t, fake.hosts)
    const { ask } = await buildApp(t, { options: { registry } })
    await registry.join({ id: 'n1', wssUrl: 'wss://n1.example/ws' })
    await until(async () => (await ask()).json().retCode === '0')
    await sleep(200)
    t.equal(unused.status().state, 'starting')
    t.equal(fake.accepted, 0)
  })
})

t.test('a server for each', { skip: withoutZooKeeper }, async (t) => {
  t.jobs = 2

  t.test('Z-01: servers that are away at the start cost nothing but answers, and are found when they come', async (t) => {
    const server = await startZooKeeper(t)
    await server.kill()
    const starting = startGateway(t, server.hosts, newSettings())
    t.ok(await timed(starting) < 1000 + NOISE_MS, 'the start waits for nobody')
    const { ask, registry } = await starting
    await until(() => registry.status().reason === 'ZooKeeper cannot be reached (ECONNREFUSED)')
    t.equal(registry.status().state, 'down')
    const { kinds, medianMs } = await askMany(ask, ['a', 'b'])
    t.strictSame(kinds, ['50302'])
    t.ok(medianMs < 100, `answered within ${medianMs} ms`)
    await server.restart()
    const ms = await timed(until(async () => (await ask('a')).kind === '50301'))
    t.comment(`answered ${ms} ms after the server came`)
    t.ok(ms < 3000 + NOISE_MS)
    t.equal(registry.status().state, 'up')
  })

  t.test('Z-17: a server that takes no more connections is one that is away', async (t) => {
    const server = await startZooKeeper(t, { config: ['maxClientCnxns=2'] })
    const settings = newSettings()
    const { gateway, proxy } = await startProxied(t, server.port, settings)
    await startNodes(t, server.port, settings, gateway, ['node'])
    await untilOk(gateway, 'room')
    proxy.set('refuse')
    const taken = await occupy(t, server.port)
    proxy.set('pass')
    await until(() => gateway.registry.status().reason === 'the server closed the connection')
    t.strictSame((await askMany(gateway.ask, ['room', 'new'])).kinds, ['50302', 'join-only'])
    taken.destroy()
    const ms = await timed(untilOk(gateway, 'room'))
    t.comment(`answered ${ms} ms after there was a connection to be had`)
    t.ok(ms < 3000 + NOISE_MS)
  })
})

t.test('no call that was given up failed unheard', async (t) => {
  t.strictSame(unhandled, [])
})
