import t from 'tap'
import { elapse } from '../../support/elapse.js'
import { eventually, until } from '../../support/until.js'
import {
  claim, newSettings, NOISE_MS, observe, roomKey, SESSION_MS, startGateway, startNode, startNodes, startProxied,
  timed, untilOk
} from '../../support/zookeeper-app.js'
import { goOnAsking, kindsOf, openRooms } from '../../support/zookeeper-load.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { NodeOnZooKeeper } from '../../support/zookeeper-app.js'

const PAST_SESSION_MS = 1.5 * SESSION_MS
/** Time for which vanished nodes are awaited. */
const DOUBT_MS = SESSION_MS + 2000
const MAX_ANSWER_MS = 1500

// The tests run in parallel, since they mostly wait.
t.jobs = 2

/** Starts a server that the test may stop, and a gateway on it. */
async function setUp (t: Test) {
  const server = await startZooKeeper(t)
  const settings = newSettings()
  const gateway = await startGateway(t, server.hosts, settings)
  const observer = await observe(t, server.hosts, settings.root)
  return {
    server,
    settings,
    gateway,
    observer,
    start: async <Id extends string>(ids: Id[]) => await startNodes(t, server.port, settings, gateway, ids),
    /** Removes all nodes of one session in one transaction. */
    async vanish ({ proxy, member }: NodeOnZooKeeper) {
      proxy.set('refuse')
      await server.expire(await observer.sessionOf(member))
    }
  }
}

t.test('an ensemble paused beyond the session timeout – all nodes come back, and no open room is touched', {
  skip: withoutZooKeeper
}, async (t) => {
  const { server, gateway, start } = await setUp(t)
  const nodes = Object.values(await start(['n1', 'n2', 'n3']))
  const holders = await openRooms([gateway], nodes, 8)
  const incarnations = nodes.map(({ member }) => member.incarnation)
  server.pause()
  await eventually(() => gateway.registry.status().state, 'down')
  const asking = goOnAsking([gateway], holders)
  await elapse(PAST_SESSION_MS, 'every session to expire')
  t.strictSame(nodes.map(({ events }) => events), [['lapsed'], ['lapsed'], ['lapsed']])
  t.strictSame(await kindsOf(gateway, ['new', ...holders.keys()]), ['50302', ...Array(8).fill('join-only')])
  server.resume()
  const ms = await timed(Promise.all([...holders.keys()].map(async (room) => await untilOk(gateway, room))))
  t.comment(`all rooms answered normally ${ms} ms after the pause`)
  t.ok(ms < 3000 + NOISE_MS)
  await until(() => nodes.every(({ events }) => events.includes('resumed')))
  const { wrong, slowest } = await asking.stop()
  t.strictSame(wrong, [], 'no other node is ever named')
  t.ok(slowest < MAX_ANSWER_MS + NOISE_MS)
  t.strictSame(nodes.map(({ events }) => events), nodes.map(() => ['lapsed', 'resumed']))
  for (const [at, { member, wssUrl }] of nodes.entries()) {
    t.not(member.incarnation, incarnations[at])
    for (const [room, holder] of holders) t.equal(member.holds(roomKey(room)), holder === wssUrl)
  }
  await untilOk(gateway, 'new')
})

t.test('an ensemble paused beyond the session timeout – the rooms of a node that comes back last wait for it', {
  skip: withoutZooKeeper
}, async (t) => {
  const { server, gateway, start } = await setUp(t)
  const { first, last } = await start(['first', 'last'])
  await claim(last.member, 'room')
  await untilOk(gateway, 'room')
  server.pause()
  last.proxy.set('refuse')
  await eventually(() => gateway.registry.status().state, 'down')
  await elapse(PAST_SESSION_MS, 'every session to expire')
  server.resume()
  const asking = goOnAsking([gateway], new Map([['room', last.wssUrl]]))
  await until(() => first.events.includes('resumed') && gateway.registry.status().state !== 'down')
  t.equal((await untilOk(gateway, 'new')).wssUrl, first.wssUrl)
  await elapse(500, 'a while without the room')
  last.proxy.set('pass')
  await until(() => last.events.includes('resumed'))
  await untilOk(gateway, 'room')
  t.strictSame((await asking.stop()).wrong, [])
  t.strictSame(last.events, ['lapsed', 'resumed'])
  t.ok(last.member.holds(roomKey('room')))
  await until(() => gateway.registry.status().state === 'up', 'no node to be awaited', 5000)
})

t.test('a node that vanished while the gateway was disconnected – is awaited, since ZooKeeper may be the cause', {
  skip: withoutZooKeeper
}, async (t) => {
  const server = await startZooKeeper(t)
  const settings = newSettings()
  const { gateway, proxy } = await startProxied(t, server.port, settings)
  const { left, gone } = await startNodes(t, server.port, settings, gateway, ['left', 'gone'])
  await claim(gone.member, 'room')
  await untilOk(gateway, 'room')
  const observer = await observe(t, server.hosts, settings.root)
  const asking = goOnAsking([gateway], new Map([['room', gone.wssUrl]]))
  for (const line of [proxy, gone.proxy]) line.set('refuse')
  await server.expire(await observer.sessionOf(gone.member))
  await eventually(() => gateway.registry.status().state, 'down')
  proxy.set('pass')
  await eventually(() => gateway.registry.status().state, 'degraded')
  t.strictSame(await kindsOf(gateway, ['room']), ['join-only'])
  t.equal((await untilOk(gateway, 'new')).wssUrl, left.wssUrl)
  gone.proxy.set('pass')
  await until(() => gone.events.includes('resumed'))
  await untilOk(gateway, 'room')
  t.strictSame((await asking.stop()).wrong, [])
  t.strictSame(gone.events, ['lapsed', 'resumed'])
  t.ok(gone.member.holds(roomKey('room')))
})

t.test('a node that dies alone – its rooms move once, after its session has expired', {
  skip: withoutZooKeeper
}, async (t) => {
  const server = await startZooKeeper(t)
  const settings = newSettings()
  const gateways = [await startGateway(t, server.hosts, settings), await startGateway(t, server.hosts, settings)]
  const [gateway] = gateways
  if (gateway === undefined) throw new Error('there are two')
  const ids = ['n1', 'n2', 'n3', 'n4']
  const nodes = Object.values(await startNodes(t, server.port, settings, gateway, ids))
  const holders = await openRooms(gateways, nodes, 8)
  const dead = nodes.find(({ wssUrl }) => wssUrl === holders.get('room-0'))
  dead?.proxy.set('refuse')
  t.equal((await gateway.ask('room-0')).wssUrl, dead?.wssUrl, 'the death is not noticeable at first')
  const ms = await timed(until(async () => (await gateway.ask('room-0')).wssUrl !== dead?.wssUrl))
  t.comment(`moved to another node after ${ms} ms, of a session of ${SESSION_MS} ms`)
  t.ok(ms < SESSION_MS + 1200 + NOISE_MS)
  for (const [room, holder] of holders) {
    const asked = Array.from({ length: 64 }, (_value, at) => gateways[at % 2] ?? gateway)
    const answers = await Promise.all(asked.map(async (each) => await untilOk(each, room)))
    const named = [...new Set(answers.map(({ wssUrl = '' }) => wssUrl))]
    t.equal(named.length, 1)
    t.equal(named[0] === holder, holder !== dead?.wssUrl)
  }
})

t.test('the deleted parent of all nodes – is created again by the nodes', {
  skip: withoutZooKeeper
}, async (t) => {
  const { gateway, observer, start } = await setUp(t)
  const nodes = Object.values(await start(['n1', 'n2', 'n3']))
  const holders = await openRooms([gateway], nodes, 6)
  const { client, layout } = observer
  for (const { proxy } of nodes) proxy.set('hang')
  const asking = goOnAsking([gateway], holders)
  const children = (await client.children(layout.nodes))?.map((child) => `${layout.nodes}/${child}`) ?? []
  const failure = await client.multi([...children, layout.nodes].map((path) => ({ type: 'remove', path })), { ms: 5000 })
  t.equal(failure, undefined)
  await eventually(() => gateway.registry.status().state, 'degraded')
  t.strictSame(await kindsOf(gateway, ['new', ...holders.keys()]), ['50302', ...[...holders].map(() => 'join-only')])
  for (const { proxy } of nodes) proxy.set('pass')
  const ms = await timed(Promise.all(['new', ...holders.keys()].map(async (room) => await untilOk(gateway, room))))
  t.comment(`all rooms answered normally after ${ms} ms`)
  t.ok(ms < SESSION_MS / 3 + 1000 + NOISE_MS)
  t.strictSame((await asking.stop()).wrong, [])
  await until(() => nodes.every(({ events }) => events.at(-1) === 'resumed'))
  t.strictSame(nodes.flatMap(({ events }) => events).filter((event) => !/lapsed|resumed/.test(event)), [])
  for (const { member, wssUrl } of nodes) {
    for (const [room, holder] of holders) t.equal(member.holds(roomKey(room)), holder === wssUrl)
  }
})

t.test('most nodes gone at once – their rooms wait, and new rooms go to the remaining nodes', {
  skip: withoutZooKeeper
}, async (t) => {
  const { server, settings, gateway, vanish } = await setUp(t)
  const left = await startNode(t, server.port, 'left', settings)
  // The nodes share one session, so that they vanish in one transaction.
  const gone = await startNode(t, server.port, 'gone-1', settings)
  for (const id of ['gone-2', 'gone-3']) await gone.registry.join({ id, wssUrl: `wss://${id}.example/ws` })
  await eventually(() => gateway.registry.nodes().length, 4)
  const rooms = ['a', 'b', 'c', 'd']
  for (const room of rooms) await claim(gone.member, room)
  for (const room of rooms) await untilOk(gateway, room)
  const holders = new Map(rooms.map((room) => [room, gone.wssUrl]))

  const asking = goOnAsking([gateway, gateway], holders)
  await vanish(gone)
  await eventually(() => gateway.registry.status().state, 'degraded')
  t.match(gateway.registry.status().reason, /nodes vanished together/)
  t.strictSame(await kindsOf(gateway, rooms), rooms.map(() => 'join-only'))
  for (let at = 0; at < 10; at++) t.match(await untilOk(gateway, `new-${at}`), { wssUrl: left.wssUrl })
  gone.proxy.set('pass')
  await until(() => gone.events.includes('resumed'))
  const ms = await timed(Promise.all(rooms.map(async (room) => await untilOk(gateway, room))))
  t.ok(ms < 1000 + NOISE_MS, 'the rooms are answered as soon as the nodes are back')
  t.strictSame((await asking.stop()).wrong, [])
  t.strictSame(gone.events, ['lapsed', 'resumed'])

  await until(() => gateway.registry.nodes().length === 4 && gateway.registry.status().state === 'up')
  await vanish(gone)
  const doubtMs = await timed(Promise.all(rooms.map(async (room) => await until(async () => {
    const { kind, wssUrl } = await gateway.ask(room)
    return kind === 'ok' && wssUrl === left.wssUrl
  }))))
  t.comment(`given up after ${doubtMs} ms, of a session of ${SESSION_MS} ms`)
  t.ok(doubtMs > DOUBT_MS - 500 && doubtMs < DOUBT_MS + NOISE_MS)
  gone.proxy.set('pass')
  await eventually(() => gone.events.length, 8)
  t.strictSame(gone.events.slice(2).sort(), ['lapsed', 'lost', 'lost', 'lost', 'lost', 'resumed'])
})

t.test('all nodes gone at once – the registry reports no node only after they had time to come back', {
  skip: withoutZooKeeper
}, async (t) => {
  const { server, settings, gateway, vanish } = await setUp(t)
  const gone = await startNode(t, server.port, 'n1', settings)
  await gone.registry.join({ id: 'n2', wssUrl: 'wss://n2.example/ws' })
  await eventually(() => gateway.registry.nodes().length, 2)
  await claim(gone.member, 'room')
  await untilOk(gateway, 'room')
  await vanish(gone)
  const seen: string[] = []
  const ms = await timed(until(async () => {
    seen.push(...await kindsOf(gateway, [`new-${seen.length}`, 'room']))
    return seen.at(-2) === '50301'
  }))
  t.strictSame([...new Set(seen.slice(0, -2))], ['50302', 'join-only'])
  t.ok(ms > DOUBT_MS - 500 && ms < DOUBT_MS + NOISE_MS)
  t.strictSame(await kindsOf(gateway, ['room']), ['50301'])
  gone.proxy.set('pass')
  await untilOk(gateway, 'room')
})
