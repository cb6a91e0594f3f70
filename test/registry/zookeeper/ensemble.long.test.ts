import t from 'tap'
import { elapse } from '../../support/elapse.js'
import { eventually, until } from '../../support/until.js'
import {
  claim, listen, newSettings, NOISE_MS, observe, roomKey, startGateway, timed,
  untilOk
} from '../../support/zookeeper-app.js'
import { askMany, goOnAsking, kindsOf, openRooms } from '../../support/zookeeper-load.js'
import { makeHastyRegistry } from '../../support/zookeeper-registry.js'
import { startEnsemble, withoutZooKeeper } from '../../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { Gateway, RegistrySettings } from '../../support/zookeeper-app.js'
import type { ZooKeeperServer } from '../../support/zookeeper-server.js'

/** Sessions that survive an election on a busy machine. */
const LONG_SESSION_MS = 6000
const LINGER = 3
const LOADS = 10
const ROOMS = 40
const MAX_ANSWER_MS = 1500

t.test('three servers', { skip: withoutZooKeeper }, async (t) => {
  const { servers, hosts } = await startEnsemble(t, 3, { properties: ['-Dreadonlymode.enabled=true'] })

  async function leaderAndFollowers () {
    return await until(async () => {
      const leads = await Promise.all(servers.map(async (server) => await server.isLeader()))
      const followers = servers.filter((_server, at) => leads[at] === false)
      const leader = servers.find((_server, at) => leads[at])
      const [first, second] = followers
      return leader !== undefined && first !== undefined && second !== undefined && { leader, first, second }
    }, 'a leader')
  }

  const serverOf = async (sessionId: string | undefined) => await until(async () => {
    for (const server of servers) if (await server.serves(sessionId)) return server
    return undefined
  })

  /** Creates clients, each in its own session. */
  async function startNodes (t: Test, at: string, settings: RegistrySettings, gateways: Gateway[], ids: string[]) {
    const nodes = await Promise.all(ids.map(async (id) => {
      const registry = makeHastyRegistry(t, at, { linger: LINGER, ...settings })
      const wssUrl = `wss://${id}.example/ws`
      const member = await until(async () => await registry.join({ id, wssUrl }).catch(() => undefined))
      return { member, wssUrl, events: listen(member) }
    }))
    const sees = ({ registry }: Gateway) => ids.every((id) => registry.nodes().some((node) => node.id === id))
    await until(() => gateways.every(sees))
    return nodes
  }

  t.test('a killed server of a gateway and node – another server continues the session', async (t) => {
    const settings = { ...newSettings(), sessionTimeout: LONG_SESSION_MS }
    const gateway = await startGateway(t, hosts, settings)
    const member = await until(async () =>
      await gateway.registry.join({ id: 'node', wssUrl: 'wss://node.example/ws' }).catch(() => undefined))
    const events = listen(member)
    await eventually(() => gateway.registry.nodes().length, 1)
    await claim(member, 'room')
    await untilOk(gateway, 'room')
    const session = await (await observe(t, hosts, settings.root)).sessionOf(member)
    const killed = await serverOf(session)
    t.teardown(async () => await killed.restart({ keepsData: true }))
    const asking = goOnAsking([gateway], new Map([['room', 'wss://node.example/ws']]))
    await killed.kill()
    const ms = await timed(until(async () => (await gateway.ask(`new-${performance.now()}`)).kind === 'ok'))
    t.comment(`answered ${ms} ms after the server was killed`)
    t.ok(ms < 2000 + NOISE_MS)
    t.strictSame((await asking.stop()).wrong, [])
    const after = await observe(t, hosts, settings.root)
    t.equal(await after.sessionOf(member), session, 'the session is the same')
    t.strictSame(events, [])
  })

  t.test('a leader killed under load – no answer is wrong, and no open room is touched', async (t) => {
    const settings = { ...newSettings(), sessionTimeout: LONG_SESSION_MS }
    const gateways = [await startGateway(t, hosts, settings), await startGateway(t, hosts, settings)]
    const nodes = await startNodes(t, hosts, settings, gateways, ['n1', 'n2', 'n3'])
    const holders = await openRooms(gateways, nodes, 12)
    const { leader } = await leaderAndFollowers()
    t.teardown(async () => await leader.restart({ keepsData: true }))
    const asking = goOnAsking(gateways.flatMap((gateway) => Array<Gateway>(LOADS).fill(gateway)), holders)
    await elapse(1000, 'a second of load, to count the answers')
    const rate = asking.asked()
    const killedAt = performance.now()
    await leader.kill()
    await until(() => gateways.every(({ registry }) => registry.status().state === 'down'))
    const split: string[][] = []
    let count = 0
    await until(async () => {
      const room = `fresh-${++count}`
      const answers = await Promise.all(gateways.map(async ({ ask }) => await ask(room)))
      const named = new Set(answers.flatMap(({ wssUrl }) => wssUrl ?? []))
      if (named.size > 1) split.push([...named])
      return answers.every(({ kind }) => kind === 'ok')
    })
    const ms = Math.round(performance.now() - killedAt)
    await elapse(1000, 'a second of load with the new leader')
    const { wrong } = await asking.stop()
    t.comment(`${rate} answers a second; both gateways took new rooms ${ms} ms after the kill`)
    t.ok(ms < 3000 + NOISE_MS)
    t.strictSame(wrong, [])
    t.strictSame(split, [], 'both gateways name the same node')
    t.strictSame(nodes.flatMap(({ events }) => events).filter((event) => !/lapsed|resumed/.test(event)), [])
    // A node that lapsed holds its rooms again as soon as it has resumed.
    await until(() => nodes.every(({ member, wssUrl }) =>
      [...holders].every(([room, holder]) => member.holds(roomKey(room)) === (holder === wssUrl))))
  })

  t.test('a gateway whose server is paused – moves to another server with its session', async (t) => {
    const settings = { ...newSettings(), sessionTimeout: 4500 }
    // The leader is excluded, since pausing it causes an election too.
    const { leader, first, second } = await leaderAndFollowers()
    const gateway = await startGateway(t, `${first.hosts},${second.hosts}`, settings)
    const own = await until(async () =>
      await gateway.registry.join({ id: 'own', wssUrl: 'wss://own.example/ws', draining: true }).catch(() => undefined))
    const [node] = await startNodes(t, leader.hosts, settings, [gateway], ['node'])
    await untilOk(gateway, 'room')
    const observer = await observe(t, leader.hosts, settings.root)
    const session = await observer.sessionOf(own)
    const stopped = await serverOf(session)
    const asking = goOnAsking([gateway], new Map([['room', node?.wssUrl ?? '']]))
    stopped.pause()
    try {
      const stoppedAt = performance.now()
      await eventually(() => gateway.registry.status().state, 'down')
      const kinds = await kindsOf(gateway, ['room', 'new'])
      await Promise.all([untilOk(gateway, 'room'), untilOk(gateway, 'new')])
      const ms = Math.round(performance.now() - stoppedAt)
      t.comment(`answered by another server ${ms} ms after the stop, of a session of ${settings.sessionTimeout} ms`)
      t.ok(ms < settings.sessionTimeout * 2 / 3 + NOISE_MS)
      t.equal(await observer.sessionOf(own), session, 'with the same session')
      t.match(kinds.join(), /^(join-only,50302|ok,ok)$/)
      const { wrong, slowest } = await asking.stop()
      t.strictSame(wrong, [])
      t.ok(slowest < MAX_ANSWER_MS + NOISE_MS)
    } finally {
      stopped.resume()
    }
    t.strictSame(node?.events, [])
  })

  t.test('gateways on two followers, one of them lagging – agree, since the leader decides', async (t) => {
    const settings = newSettings()
    const { leader, first, second } = await leaderAndFollowers()
    const gateways = [await startGateway(t, first.hosts, settings), await startGateway(t, second.hosts, settings)]
    const nodes = await startNodes(t, leader.hosts, settings, gateways, ['n1', 'n2', 'n3', 'n4'])
    const stopLagging = lag(second)
    const ms: number[] = []
    /** Asks both gateways, several times at once. */
    const askBoth = async (room: string) => {
      const answers = await Promise.all([...gateways, ...gateways].map(async (gateway) => await untilOk(gateway, room)))
      ms.push(...answers.map((answer) => answer.ms))
      return [...new Set(answers.map(({ wssUrl = '' }) => wssUrl))]
    }
    try {
      const named = new Map<string, string[]>()
      for (let at = 0; at < ROOMS; at++) {
        const urls = await askBoth(`room-${at}`)
        named.set(`room-${at}`, urls)
        const holder = nodes.find(({ wssUrl }) => wssUrl === urls[0])
        t.equal(await holder?.member.claim(roomKey(`room-${at}`)), 'ok')
      }
      t.strictSame([...named.values()].filter((urls) => urls.length > 1), [])
      const [left, ...stay] = nodes
      await left?.member.leave()
      // All rooms are requested at once, before the gateways have read that the node left.
      const after = await Promise.all([...named].map(async ([room, before]) => ({ before, urls: await askBoth(room) })))
      for (const { before, urls } of after) {
        if (before[0] !== left?.wssUrl) t.strictSame(urls, before)
        else t.ok(urls.length === 1 && stay.some(({ wssUrl }) => wssUrl === urls[0]), 'no answer names a node that left')
      }
    } finally {
      await stopLagging()
    }
    ms.sort((a, b) => a - b)
    const [p50, p99] = [0.5, 0.99].map((part) => Math.round(ms[Math.floor(ms.length * part)] ?? 0))
    t.comment(`half of the answers within ${p50} ms, 99 of 100 within ${p99} ms`)
    t.ok(Number(p99) < 500 + NOISE_MS)
  })

  t.test('a server cut off from its ensemble – takes no part: known rooms are answered join-only', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, hosts, settings)
    const nodes = await startNodes(t, hosts, settings, [gateway], ['n1', 'n2'])
    const holders = await openRooms([gateway], nodes, 4)
    const asking = goOnAsking([gateway], holders)
    const killed = servers.slice(0, 2)
    await Promise.all(killed.map(async (server) => await server.kill()))
    await eventually(() => gateway.registry.status().state, 'down')
    await until(() => nodes.every(({ events }) => events.includes('lapsed')))
    const { kinds, medianMs } = await askMany(gateway.ask, ['new', ...holders.keys()])
    t.strictSame(kinds, ['50302', 'join-only'])
    t.ok(medianMs < 100, `answered within ${medianMs} ms`)
    await Promise.all(killed.map(async (server) => await server.restart({ keepsData: true })))
    await Promise.all(['new', ...holders.keys()].map(async (room) => await untilOk(gateway, room)))
    await until(() => nodes.every(({ events }) => events.at(-1) === 'resumed'))
    t.strictSame((await asking.stop()).wrong, [])
    t.strictSame(nodes.flatMap(({ events }) => events).filter((event) => !/lapsed|resumed/.test(event)), [])
    for (const { member, wssUrl } of nodes) {
      for (const [room, holder] of holders) t.equal(member.holds(roomKey(room)), holder === wssUrl)
    }
  })
})

/** Pauses the server for most of the time, in short turns. */
function lag (server: ZooKeeperServer): () => Promise<void> {
  const over = new AbortController()
  const lagging = (async () => {
    while (!over.signal.aborted) {
      server.pause()
      await elapse(60, 'a paused turn')
      server.resume()
      await elapse(40, 'a running turn')
    }
  })()
  return async () => {
    over.abort()
    await lagging
  }
}
