import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { memorySessions, redisRegistry } from '../../lib/index.js'
import { startToxicProxy } from '../../lib/testing/toxic-proxy.js'
import { buildApp, session, signing as keys } from '../support/build-app.js'
import { CoBrowser } from '../support/co-browser.js'
import { elapse } from '../support/elapse.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { RedisServer } from '../support/redis-server.js'

const WORKER = fileURLToPath(new URL('../support/relay-worker.mjs', import.meta.url))
type Disturb = (redis: RedisServer) => Promise<void>
/** Times as short as a busy machine allows. */
const LEASE = 2000
const times = { lease: LEASE, heartbeat: 400, linger: 3 }
const signing = { ...keys, ttl: 2, skew: 1 }
const SETTLING = 3000 + 2 * 400
/** Time that the machine may add to a limit of the rules. */
const NOISE = 3000

async function setUp (t: Test, nodes: number) {
  const redis = await startRedis(t)
  const admin = connect(t, redis.port)
  await skipSettling(admin)
  const sessions = memorySessions()
  const token = sessions.issue(session)
  const gateways = await Promise.all([1, 2].map(async () => {
    const registry = redisRegistry({ redis: connect(t, redis.port), ...times })
    return (await buildApp(t, { options: { sessions, registry, signing } })).app
  }))
  const ids = Array.from({ length: nodes }, (_value, at) => `n${at}`)
  const relays = await Promise.all(ids.map(async (id) => await startRelay(t, redis.port, id)))
  await until(() => gateways.every((app) => app.cobrowseRegistry.nodes().length === nodes))
  /** Opens the two sides of a room, each through its own gateway. */
  const browse = (t: Test, roomId: string, roles: Array<'recorder' | 'replayer'> = ['recorder', 'replayer']) =>
    roles.map((role) => {
      const gateway = gateways[role === 'recorder' ? 0 : 1]
      if (gateway === undefined) throw new Error('no gateway')
      return new CoBrowser(t, { gateway, token, userId: session.userId, roomId, role })
    })
  return { redis, admin, gateways, relays, browse }
}

async function startRelay (t: Test, redisPort: number, id: string) {
  const proxy = await startToxicProxy({ port: redisPort })
  const child = fork(WORKER, [JSON.stringify({ id, port: 0, redisPort: proxy.port, times, signing })], { execArgv: [] })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await proxy.close()
  })
  const events: string[] = []
  let wssUrl = ''
  let incarnation = ''
  child.on('message', (message: { event: string, wssUrl?: string, incarnation?: string }) => {
    events.push(message.event)
    wssUrl = message.wssUrl ?? wssUrl
    incarnation = message.incarnation ?? incarnation
  })
  await until(() => events.includes('ready'))
  return {
    id,
    wssUrl,
    events,
    proxy,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    async incarnation () {
      const asked = events.length
      child.send('incarnation')
      await until(() => events.indexOf('incarnation', asked) >= 0)
      return incarnation
    }
  }
}

const ROOMS = 60

t.jobs = 2

const areTogether = (pair: CoBrowser[]) =>
  pair.every(({ inside }) => inside !== undefined && inside === pair[0]?.inside)

t.test('a node that is killed – both sides meet on the same new node', {
  skip: withoutRedis, timeout: 120_000
}, async (t) => {
  const { relays, browse } = await setUp(t, 3)
  const pair = browse(t, 'room')
  await until(() => areTogether(pair))
  const before = pair[0]?.inside
  relays.find(({ wssUrl }) => wssUrl === before)?.kill('SIGKILL')
  const startedAt = performance.now()
  await until(() => areTogether(pair) && pair[0]?.inside !== before)
  const ms = Math.round(performance.now() - startedAt)
  t.comment(`together again after ${ms} ms, with a lease of ${LEASE} ms`)
  t.ok(ms < LEASE + 1000 + NOISE)
  t.strictSame(pair.map(({ closed }) => closed.length), [1, 1], 'both sides were disconnected once')
})

const disturbances: Record<string, Disturb> = {
  'restarted empty': async (redis) => await redis.restart(),
  'paused for three leases': async (redis) => {
    redis.pause()
    await elapse(3 * LEASE, 'every lease to expire')
    redis.resume()
  }
}
for (const [name, disturb] of Object.entries(disturbances)) {
  t.test(`a Redis that is ${name} – ${ROOMS} open rooms – closes no WebSocket`, {
    skip: withoutRedis, timeout: 200_000
  }, async (t) => {
    const { redis, gateways, browse } = await setUp(t, 4)
    const pairs = Array.from({ length: ROOMS }, (_value, at) => browse(t, `room-${at}`))
    await until(() => pairs.every(areTogether), 'the first meeting', 60_000)
    await disturb(redis)
    const startedAt = performance.now()
    const [fresh] = [browse(t, 'fresh')]
    await until(() => areTogether(fresh), 'a new room', 60_000)
    const ms = Math.round(performance.now() - startedAt)
    t.comment(`a new room opened after ${ms} ms, where settling takes ${SETTLING} ms`)
    t.ok(ms < SETTLING + 1000 + NOISE)
    await elapse(2 * LEASE, 'time for a late effect to close a room')
    t.strictSame(pairs.flat().flatMap(({ closed }) => closed), [], 'no open room is touched')
    t.ok(pairs.every(areTogether), 'nor split')
    for (const { cobrowseRegistry } of gateways) {
      const nodes = await Promise.all(pairs.map(async (_pair, at) =>
        (await cobrowseRegistry.assign({ tenant: session.tenantId, room: `room-${at}` })).node.wssUrl))
      t.strictSame(nodes, pairs.map(([recorder]) => recorder?.inside), 'the gateways name the node with the room')
    }
  })
}

t.test('a node cut off with the customer alone inside – both sides meet, and the node recovers', {
  skip: withoutRedis, timeout: 120_000
}, async (t) => {
  const { relays, browse } = await setUp(t, 2)
  const [customer] = browse(t, 'room', ['recorder'])
  await until(() => customer?.inside)
  const before = customer?.inside
  const cut = relays.find(({ wssUrl }) => wssUrl === before)
  cut?.proxy.set('refuse')
  await until(() => cut?.events.includes('lapsed'))
  t.equal(customer?.inside, before, 'the lapse disconnects no client')
  const startedAt = performance.now()
  const [agent] = browse(t, 'room', ['replayer'])
  const pair = [customer, agent].flatMap((side) => side ?? [])
  await until(() => areTogether(pair))
  const ms = Math.round(performance.now() - startedAt)
  t.comment(`together after ${ms} ms, with a lease of ${LEASE} ms`)
  t.ok(ms < LEASE + 5000 + NOISE)
  t.not(pair[0]?.inside, before)
  t.strictSame(customer?.closed, [4410])
  cut?.proxy.set('pass')
  await until(() => cut?.events.includes('resumed'))
  await elapse(LEASE, 'time for a late effect to move the room')
  t.ok(areTogether(pair), 'both sides stay together')
})

t.test('a node paused for two leases – room not requested in between – keeps the room', {
  skip: withoutRedis, timeout: 120_000
}, async (t) => {
  const { relays, browse } = await setUp(t, 2)
  const pair = browse(t, 'room')
  await until(() => areTogether(pair))
  const before = pair[0]?.inside
  const relay = relays.find(({ wssUrl }) => wssUrl === before)
  const incarnation = await relay?.incarnation()
  relay?.kill('SIGSTOP')
  await elapse(2 * LEASE, 'the lease to expire')
  relay?.kill('SIGCONT')
  await until(() => relay?.events.includes('resumed'))
  await elapse(LEASE, 'time for a late effect to move the room')
  t.ok(areTogether(pair))
  t.equal(pair[0]?.inside, before)
  t.strictSame(pair.map(({ closed }) => closed), [[], []])
  t.not(await relay?.incarnation(), incarnation, 'the node has a new incarnation')
})

t.test('a paused node – room requested in between – closes it, and both sides meet on the new node', {
  skip: withoutRedis, timeout: 120_000
}, async (t) => {
  const { relays, gateways, browse } = await setUp(t, 2)
  const pair = browse(t, 'room')
  await until(() => areTogether(pair))
  const before = pair[0]?.inside
  const relay = relays.find(({ wssUrl }) => wssUrl === before)
  relay?.kill('SIGSTOP')
  await until(async () => {
    const key = { tenant: session.tenantId, room: 'room' }
    const assigned = await gateways[0]?.cobrowseRegistry.assign(key).catch(() => null)
    return assigned?.node.wssUrl !== undefined && assigned.node.wssUrl !== before
  })
  relay?.kill('SIGCONT')
  await until(() => areTogether(pair) && pair[0]?.inside !== before)
  t.strictSame(pair.map(({ closed }) => closed), [[4410], [4410]])
})
