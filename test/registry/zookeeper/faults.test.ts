import { createConnection } from 'node:net'
import t from 'tap'
import { redisRegistry } from '../../../lib/index.js'
import { startToxicProxy } from '../../../lib/testing/index.js'
import { buildApp } from '../../support/build-app.js'
import { elapse } from '../../support/elapse.js'
import { grant, reply, startFakeZooKeeper } from '../../support/fake-zookeeper.js'
import { connect, skipSettling } from '../../support/redis-registry.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import { eventually, until } from '../../support/until.js'
import {
  claim, newSettings, NOISE_MS, SESSION_MS, startGateway, startNodes, startProxied, timed,
  untilOk
} from '../../support/zookeeper-app.js'
import { askMany } from '../../support/zookeeper-load.js'
import { makeHastyRegistry } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import type { Test } from 'tap'

const AUTH_FAILED = -115
/** Limit of a call, which an answer from memory does not wait for. */
const CALL_MS = 300

// An abandoned request that fails later must not end the process.
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

/** Opens an idle connection to the server. */
async function occupy (t: Test, port: number) {
  return await until(async () => {
    const socket = createConnection(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    t.teardown(() => socket.destroy())
    await elapse(300, 'time for the server to close an excess connection')
    return socket.readyState === 'open' && socket
  }, 'a connection that stays open')
}

const portOf = (hosts: string) => Number(hosts.split(':')[1])

t.test('a shared ZooKeeper server', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  t.jobs = 3

  t.test('an operator – the server takes longer than a request may – is answered', async (t) => {
    const proxy = await startToxicProxy(server)
    t.teardown(async () => await proxy.close())
    const { operations } = makeHastyRegistry(t, `127.0.0.1:${proxy.port}`, { ...newSettings(), sessionTimeout: 20_000 })
    const room = { tenant: 't', room: 'r' }
    await until(async () => await operations?.explain(room), 'the registry is connected')
    // In each direction.
    proxy.delay(200)
    t.match(await operations?.explain(room), { binding: null })
    await operations?.setOrder('n1', { kind: 'cordon', reason: 'slow', author: 'anna' })
    t.match(await operations?.move(room, { reason: 'slow', author: 'anna' }), { outcome: 'unbound' })
  })

  t.test('a connection lost for less than the session timeout – changes in between are read on reconnect', async (t) => {
    const settings = { ...newSettings(), sessionTimeout: 10_000 }
    const { gateway, proxy } = await startProxied(t, server.port, settings)
    const { stays, leaves } = await startNodes(t, server.port, settings, gateway, ['stays', 'leaves'])
    await claim(stays.member, 'room')
    await untilOk(gateway, 'room')
    proxy.set('refuse')
    await eventually(() => gateway.registry.status().state, 'down')
    const { kinds, medianMs } = await askMany(gateway.ask, ['room', 'new'])
    t.strictSame(kinds, ['50302', 'join-only'])
    t.ok(medianMs < CALL_MS, `answered within ${medianMs} ms`)
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

  t.test('rejected credentials – are reported, and tried again', async (t) => {
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
    await eventually(() => gateway.registry.status().reason, 'ZooKeeper refuses the credentials')
    t.equal(gateway.registry.status().state, 'down')
    const { kinds, medianMs } = await askMany(gateway.ask, ['room', 'new'])
    t.strictSame(kinds, ['50302', 'join-only'])
    t.ok(medianMs < CALL_MS, `answered within ${medianMs} ms`)
    proxy.retarget(server.port)
    const ms = await timed(untilOk(gateway, 'room'))
    t.comment(`answered ${ms} ms after the credentials were good again`)
    t.ok(ms < 6000 + 1000 + NOISE_MS)
  })

  t.test('garbage instead of a ZooKeeper answer – costs the connection, and neither memory nor the process', async (t) => {
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
    await eventually(() => gateway.registry.status().reason, 'ZooKeeper sent what is no answer')
    t.ok(held() - before < 8 * 1024 * 1024)
    proxy.retarget(server.port)
    const ms = await timed(untilOk(gateway, 'room'))
    t.comment(`answered ${ms} ms after the garbage`)
    t.ok(ms < 2000 + NOISE_MS)
  })

  t.test('a registry on ZooKeeper – not the one used by the plugin – does nothing', {
    skip: withoutRedis
  }, async (t) => {
    const redis = connect(t, (await startRedis(t)).port)
    await skipSettling(redis)
    const registry = redisRegistry({ redis })
    const fake = await startFakeZooKeeper(t, { connect () {} })
    const unused = makeHastyRegistry(t, fake.hosts)
    const { ask } = await buildApp(t, { options: { registry } })
    await registry.join({ id: 'n1', wssUrl: 'wss://n1.example/ws' })
    await eventually(async () => (await ask()).json().retCode, '0')
    await elapse(200, 'time for the unused registry to connect')
    t.equal(unused.status().state, 'starting')
    t.equal(fake.accepted, 0)
  })
})

t.test('a ZooKeeper server for each test', { skip: withoutZooKeeper }, async (t) => {
  t.jobs = 2

  t.test('servers unavailable at the start – cost only answers, and are found once they are up', async (t) => {
    const server = await startZooKeeper(t)
    await server.kill()
    const starting = startGateway(t, server.hosts, newSettings())
    t.ok(await timed(starting) < 1000 + NOISE_MS, 'the start does not wait for the servers')
    const { ask, registry } = await starting
    await eventually(() => registry.status().reason, 'ZooKeeper cannot be reached (ECONNREFUSED)')
    t.equal(registry.status().state, 'down')
    const { kinds, medianMs } = await askMany(ask, ['a', 'b'])
    t.strictSame(kinds, ['50302'])
    t.ok(medianMs < CALL_MS, `answered within ${medianMs} ms`)
    await server.restart()
    const ms = await timed(until(async () => (await ask('a')).kind === '50301'))
    t.comment(`answered ${ms} ms after the server started`)
    t.ok(ms < 3000 + NOISE_MS)
    t.equal(registry.status().state, 'up')
  })

  t.test('a server at its connection limit – counts as unavailable', async (t) => {
    const server = await startZooKeeper(t, { config: ['maxClientCnxns=2'] })
    const settings = newSettings()
    const { gateway, proxy } = await startProxied(t, server.port, settings)
    await startNodes(t, server.port, settings, gateway, ['node'])
    await untilOk(gateway, 'room')
    proxy.set('refuse')
    const taken = await occupy(t, server.port)
    proxy.set('pass')
    await eventually(() => gateway.registry.status().reason, 'the server closed the connection')
    t.strictSame((await askMany(gateway.ask, ['room', 'new'])).kinds, ['50302', 'join-only'])
    taken.destroy()
    const ms = await timed(untilOk(gateway, 'room'))
    t.comment(`answered ${ms} ms after a connection became available`)
    t.ok(ms < 3000 + NOISE_MS)
  })
})

t.test('abandoned requests – all failures are handled', async (t) => {
  t.strictSame(unhandled, [])
})
