import t from 'tap'
import WebSocket from 'ws'
import { connect as connectClient } from '../../lib/client/index.js'
import { memorySessions, redisRegistry, staticProvision } from '../../lib/index.js'
import { startExample } from '../examples/start-example.js'
import { buildApp } from '../support/build-app.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { runCli } from './run-cli.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Role } from '../../types/role.js'

const ROOMS = 50
const SPREAD_S = 3
const SIGNING = { keys: [{ id: 'sample', secret: 'a sample key, for loopback alone' }] }
const ROLES: Role[] = ['recorder', 'replayer']
/** Seconds beyond the spread: the next heartbeat of the node, a request, and a busy machine. */
const SLACK_S = 15

async function deploy (t: Test) {
  const { port, url } = await startRedis(t)
  await skipSettling(connect(t, port))
  const sessions = memorySessions()
  const { app } = await buildApp(t, {
    options: {
      sessions,
      registry: redisRegistry({ redis: connect(t, port) }),
      signing: SIGNING,
      provision: staticProvision('wss://relay.example'),
      authorize: async () => true
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  // An application that listens on a port has such an address.
  const baseUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`

  async function startNode (id: string) {
    const port = await findFreePort()
    await startExample(t, 'relay-ws/server.js', /is registered/, {
      PORT: String(port), NODE_ID: id, REDIS_URL: url, WSS_URL: `ws://127.0.0.1:${port}/ws/${id}`
    })
  }

  /** A browser in its room: where it is, why it had to leave, and what it heard last. */
  function enter (roomId: string, role: Role) {
    const token = sessions.issue({ tenantId: 't', channelId: 'web', userId: `${roomId}-${role}` })
    const seen = { node: '', left: [] as Array<string | number>, heard: '', openedAt: 0 }
    const client = connectClient({
      baseUrl,
      roomId,
      userId: `${roomId}-${role}`,
      userName: role,
      role,
      token,
      WebSocket,
      address: 'wssUrl',
      onMessage: (message) => { seen.heard = String(message) }
    })
    client.on('open', ({ url }) => {
      seen.node = url.slice(url.lastIndexOf('/') + 1)
      seen.openedAt = performance.now()
    })
    client.on('retry', ({ error }) => seen.left.push(error.code))
    t.teardown(() => client.close())
    return { client, seen, roomId }
  }
  return { url, startNode, enter }
}

/** Both sides of each room hear each other. */
async function untilTogether (pairs: Array<Array<ReturnType<Awaited<ReturnType<typeof deploy>>['enter']>>>, text: string) {
  await until(() => pairs.every(([one, other]) => {
    one?.client.send(text)
    other?.client.send(text)
    return one?.seen.heard === text && other?.seen.heard === text
  }), `both sides of each room hear ${text}`, 60_000)
}

t.test(`drain --wait – a node with ${ROOMS} live sessions – moves each of them once, and ends with 0`, {
  skip: withoutRedis, timeout: 240_000
}, async (t) => {
  const { url, startNode, enter } = await deploy(t)
  await startNode('n1')
  const pairs = Array.from({ length: ROOMS }, (_value, at) => ROLES.map((role) => enter(`room-${at}`, role)))
  await untilTogether(pairs, 'before')
  await Promise.all(['n2', 'n3'].map(startNode))
  const sides = pairs.flat()
  t.ok(sides.every(({ seen }) => seen.node === 'n1'))
  for (const { seen } of sides) seen.left = []

  const startedAt = performance.now()
  const { code, out, errors } = await runCli([
    'drain', 'n1', '--redis', url, '--reason', 'new kernel', '--author', 'anna',
    '--deadline', '2s', '--return-within', `${SPREAD_S}s`, '--wait'
  ])
  t.equal(code, 0, errors)
  t.match(out, /^n1: drain by anna/)
  t.match(errors, /50 rooms left\n[^]*n1 is empty\n$/)
  await untilTogether(pairs, 'after')

  const seconds = Math.max(...sides.map(({ seen }) => seen.openedAt - startedAt)) / 1000
  t.comment(`the last client was back ${seconds.toFixed(1)} s after the order`)
  t.ok(seconds < 2 + SPREAD_S + SLACK_S, `${seconds} s`)
  for (const [one, other] of pairs) {
    t.match(one?.seen.node, /^n[23]$/)
    t.equal(other?.seen.node, one?.seen.node, 'both sides are on one node')
  }
  const codes = sides.flatMap(({ seen }) => seen.left)
  t.strictSame([...new Set(codes)], [4410], 'no WebSocket ended for another reason')

  const late = ROLES.map((role) => enter('late', role))
  await untilTogether([late], 'hello')
  t.ok(late.every(({ seen }) => seen.node !== 'n1'), 'a new room does not go there')
})
