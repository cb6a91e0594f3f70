import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startToxicProxy } from '../../lib/testing/toxic-proxy.js'
import { until } from '../support/until.js'
import { observe, roomKey, startGateway, startNode, timed, untilOk } from '../support/zookeeper-app.js'
import { newRoot } from '../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { Gateway, NodeOnZooKeeper, RegistrySettings } from '../support/zookeeper-app.js'

const SESSION_MS = 3000
const PAST_SESSION_MS = 1.5 * SESSION_MS
/** What a busy machine may add. */
const NOISE_MS = 3000
const MAX_ANSWER_MS = 1500

// An abandoned call that fails later must not end the process.
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

const newSettings = () => ({ root: newRoot(), sessionTimeout: SESSION_MS })

function mustBe<T> (value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

/** Of many calls in a row: which answers there were, and how long half of them took at most. */
async function askMany (ask: Gateway['ask'], rooms: string[]) {
  const answers = []
  for (let round = 0; round < 15; round++) for (const room of rooms) answers.push(await ask(room))
  const ms = answers.map(({ ms }) => ms).sort((a, b) => a - b)
  const kinds = [...new Set(answers.map(({ kind }) => kind))].sort()
  return { kinds, medianMs: Math.round(ms[Math.floor(ms.length / 2)] ?? 0) }
}

/** A gateway behind a line of its own. */
async function startProxied (t: Test, port: number, settings: RegistrySettings) {
  const proxy = await startToxicProxy({ port })
  t.teardown(async () => await proxy.close())
  return { proxy, gateway: await startGateway(t, `127.0.0.1:${proxy.port}`, settings) }
}

/** Nodes that the gateway sees, by their ids. */
async function startNodes<Id extends string> (
  t: Test, port: number, settings: RegistrySettings, { registry }: Gateway, ids: Id[]
) {
  const nodes = await Promise.all(ids.map(async (id) => [id, await startNode(t, port, id, settings)] as const))
  await until(() => registry.nodes().length === ids.length)
  // The ids are those that were given.
  return Object.fromEntries(nodes) as Record<Id, NodeOnZooKeeper>
}

const kindsOf = async ({ ask }: Gateway, rooms: string[]) => (await Promise.all(rooms.map(ask))).map(({ kind }) => kind)

/** Rooms that are open, each on one of the nodes. */
async function openRooms (t: Test, gateway: Gateway, nodes: NodeOnZooKeeper[], count: number) {
  const holders = new Map<string, string>()
  for (let at = 0; at < count; at++) {
    const { wssUrl = '' } = await untilOk(gateway, `room-${at}`)
    const node = nodes.find((node) => node.wssUrl === wssUrl)
    t.equal(await node?.member.claim(roomKey(`room-${at}`)), 'ok')
    holders.set(`room-${at}`, wssUrl)
  }
  return holders
}

/** Asks for rooms again and again, until it is told to stop; whatever names another node than before is kept. */
function goOnAsking (gateways: Gateway[], holders: Map<string, string>) {
  const wrong: unknown[] = []
  let slowest = 0
  const over = new AbortController()
  const asking = Promise.all(gateways.map(async ({ ask }) => {
    while (!over.signal.aborted) {
      for (const [room, holder] of holders) {
        const { kind, wssUrl, ms } = await ask(room)
        slowest = Math.max(slowest, ms)
        const isWrong = wssUrl === undefined ? !/^5030[23]$/.test(kind) : wssUrl !== holder
        if (isWrong && wrong.length < 3) wrong.push({ room, kind, wssUrl, holder })
      }
    }
  }))
  return {
    async stop () {
      over.abort()
      await asking
      return { wrong, slowest }
    }
  }
}

t.test('a server for each', { skip: withoutZooKeeper }, async (t) => {
  t.jobs = 2

  t.test('Z-01: servers that are away at the start cost nothing but answers, and are found when they come', async (t) => {
    const server = await startZooKeeper(t)
    await server.kill()
    let gateway: Gateway | undefined
    const bootMs = await timed((async () => { gateway = await startGateway(t, server.hosts, newSettings()) })())
    t.ok(bootMs < 1000 + NOISE_MS, 'the start waits for nobody')
    const { ask, registry } = mustBe(gateway)
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

  t.test('Z-03: a connection that is lost for less than the session: what changed meanwhile is read anew', async (t) => {
    const server = await startZooKeeper(t)
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

  t.test('Z-05: an ensemble paused past the session: all come back by themselves, and no open room is touched', async (t) => {
    const server = await startZooKeeper(t)
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const nodes = Object.values(await startNodes(t, server.port, settings, gateway, ['n1', 'n2', 'n3']))
    const holders = await openRooms(t, gateway, nodes, 8)
    const incarnations = nodes.map(({ member }) => member.incarnation)
    server.pause()
    await until(() => gateway.registry.status().state === 'down')
    const asking = goOnAsking([gateway], holders)
    await sleep(PAST_SESSION_MS)
    t.strictSame(nodes.map(({ events }) => events), [['lapsed'], ['lapsed'], ['lapsed']])
    t.strictSame(await kindsOf(gateway, ['new', ...holders.keys()]), ['50302', ...Array(8).fill('join-only')])
    server.resume()
    const ms = await timed(Promise.all([...holders.keys()].map(async (room) => await untilOk(gateway, room))))
    t.comment(`all rooms answered normally ${ms} ms after the pause`)
    t.ok(ms < 3000 + NOISE_MS)
    await until(() => nodes.every(({ events }) => events.includes('resumed')))
    const { wrong, slowest } = await asking.stop()
    t.strictSame(wrong, [], 'no other node was ever named')
    t.ok(slowest < MAX_ANSWER_MS + NOISE_MS)
    t.strictSame(nodes.map(({ events }) => events), nodes.map(() => ['lapsed', 'resumed']))
    for (const [at, { member, wssUrl }] of nodes.entries()) {
      t.not(member.incarnation, incarnations[at])
      for (const [room, holder] of holders) t.equal(member.holds(roomKey(room)), holder === wssUrl)
    }
    await untilOk(gateway, 'new')
  })

  t.test('Z-05: after such a pause the rooms of a node that comes back last are waited for', async (t) => {
    const server = await startZooKeeper(t)
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { first, last } = await startNodes(t, server.port, settings, gateway, ['first', 'last'])
    t.equal(await last.member.claim(roomKey('room')), 'ok')
    await untilOk(gateway, 'room')
    server.pause()
    last.proxy.set('refuse')
    await until(() => gateway.registry.status().state === 'down')
    await sleep(PAST_SESSION_MS)
    server.resume()
    const asking = goOnAsking([gateway], new Map([['room', last.wssUrl]]))
    await until(() => first.events.includes('resumed') && gateway.registry.status().state !== 'down')
    t.equal((await untilOk(gateway, 'new')).wssUrl, first.wssUrl)
    await sleep(500)
    last.proxy.set('pass')
    await until(() => last.events.includes('resumed'))
    await untilOk(gateway, 'room')
    t.strictSame((await asking.stop()).wrong, [])
    t.strictSame(last.events, ['lapsed', 'resumed'])
    t.ok(last.member.holds(roomKey('room')))
    await until(() => gateway.registry.status().state === 'up', 'nobody is waited for any more', 5000)
  })

  t.test('Z-13: most nodes vanish at once: their rooms are waited for, and new ones go to those that are left', async (t) => {
    const server = await startZooKeeper(t)
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const left = await startNode(t, server.port, 'left', settings)
    // Of one session, so that they vanish in one step.
    const gone = await startNode(t, server.port, 'gone-1', settings)
    for (const id of ['gone-2', 'gone-3']) await gone.registry.join({ id, wssUrl: `wss://${id}.example/ws` })
    await until(() => gateway.registry.nodes().length === 4)
    const rooms = ['a', 'b', 'c', 'd']
    for (const room of rooms) t.equal(await gone.member.claim(roomKey(room)), 'ok')
    for (const room of rooms) await untilOk(gateway, room)
    const holders = new Map(rooms.map((room) => [room, gone.wssUrl]))
    const observer = await observe(t, server.hosts, settings.root)
    const vanish = async () => {
      gone.proxy.set('refuse')
      await server.expire(await observer.sessionOf(gone.member))
    }

    const asking = goOnAsking([gateway, gateway], holders)
    await vanish()
    await until(() => gateway.registry.status().state === 'degraded')
    t.match(gateway.registry.status().reason, /nodes vanished at once/)
    t.strictSame(await kindsOf(gateway, rooms), rooms.map(() => 'join-only'))
    for (let at = 0; at < 10; at++) t.match(await gateway.ask(`new-${at}`), { kind: 'ok', wssUrl: left.wssUrl })
    gone.proxy.set('pass')
    await until(() => gone.events.includes('resumed'))
    const ms = await timed(Promise.all(rooms.map(async (room) => await untilOk(gateway, room))))
    t.ok(ms < 1000 + NOISE_MS, 'at once when they are back')
    t.strictSame((await asking.stop()).wrong, [])
    t.strictSame(gone.events, ['lapsed', 'resumed'])

    await until(() => gateway.registry.nodes().length === 4 && gateway.registry.status().state === 'up')
    await vanish()
    const doubtMs = await timed(Promise.all(rooms.map(async (room) => await until(async () => {
      const { kind, wssUrl } = await gateway.ask(room)
      return kind === 'ok' && wssUrl === left.wssUrl
    }))))
    t.comment(`given up after ${doubtMs} ms, of a session of ${SESSION_MS} ms`)
    t.ok(doubtMs > SESSION_MS + 2000 - 500 && doubtMs < SESSION_MS + 2000 + NOISE_MS)
    gone.proxy.set('pass')
    await until(() => gone.events.length === 8)
    t.strictSame(gone.events.slice(2).sort(), ['lapsed', 'lost', 'lost', 'lost', 'lost', 'resumed'])
  })

  t.test('Z-13: all nodes vanish at once: that there is none is said when they had the time to come back', async (t) => {
    const server = await startZooKeeper(t)
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const gone = await startNode(t, server.port, 'n1', settings)
    await gone.registry.join({ id: 'n2', wssUrl: 'wss://n2.example/ws' })
    await until(() => gateway.registry.nodes().length === 2)
    t.equal(await gone.member.claim(roomKey('room')), 'ok')
    await untilOk(gateway, 'room')
    const observer = await observe(t, server.hosts, settings.root)
    gone.proxy.set('refuse')
    await server.expire(await observer.sessionOf(gone.member))
    const seen: string[] = []
    const ms = await timed(until(async () => {
      seen.push(...await kindsOf(gateway, [`new-${seen.length}`, 'room']))
      return seen.at(-2) === '50301'
    }))
    t.strictSame([...new Set(seen.slice(0, -2))], ['50302', 'join-only'])
    t.ok(ms > SESSION_MS + 2000 - 500 && ms < SESSION_MS + 2000 + NOISE_MS)
    t.strictSame(await kindsOf(gateway, ['room']), ['50301'])
    gone.proxy.set('pass')
    await untilOk(gateway, 'room')
  })
})

t.test('no call that was given up failed unheard', async (t) => {
  t.strictSame(unhandled, [])
})
