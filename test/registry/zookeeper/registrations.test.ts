import t from 'tap'
import { nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { elapse } from '../../support/elapse.js'
import { eventually, until } from '../../support/until.js'
import {
  claim, newSettings, NOISE_MS, observe, roomKey, SESSION_MS, startGateway, startNode, startNodes, timed,
  untilOk
} from '../../support/zookeeper-app.js'
import { makeRegistry, newRoot, STEADY } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'

/** A busy machine lets a short lease lapse for a moment. */
const isNoLapse = (event: string) => event !== 'lapsed' && event !== 'resumed'

t.test('expired sessions and duplicate ids', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  t.jobs = 3

  t.test('a gateway whose session expires – begins a new one, and reads everything again', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { node } = await startNodes(t, server.port, settings, gateway, ['node'])
    // A write reveals the session of the gateway, which owns no znode.
    const own = await gateway.registry.join({ id: 'own', wssUrl: 'wss://own.example/ws', draining: true })
    await eventually(() => gateway.registry.nodes().length, 2)
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
    t.ok(hintMs < 1000 + NOISE_MS, 'watches are set again')
    t.strictSame(node.events.filter(isNoLapse), [])
  })

  t.test('a node whose session expires – learns of rooms that moved, and keeps the others', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { expires, stays } = await startNodes(t, server.port, settings, gateway, ['expires', 'stays'])
    const { member, events, proxy, wssUrl } = expires
    for (const room of ['asked', 'unasked']) await claim(member, room)
    const lost: string[] = []
    member.on('lost', ({ room }) => lost.push(room))
    const { incarnation } = member
    const observer = await observe(t, server.hosts, settings.root)
    proxy.set('refuse')
    await server.expire(await observer.sessionOf(member))
    t.equal((await untilOk(gateway, 'asked')).wssUrl, stays.wssUrl)
    proxy.set('pass')
    await until(() => events.includes('lost') && events.at(-1) === 'resumed', 'the node on a new session')
    t.strictSame(events.filter(isNoLapse), ['lost'])
    t.strictSame(lost, ['asked'])
    t.not(member.incarnation, incarnation)
    t.strictSame(['asked', 'unasked'].map((room) => member.holds(roomKey(room))), [false, true])
    t.equal((await untilOk(gateway, 'unasked')).wssUrl, wssUrl)
    t.equal((await untilOk(gateway, 'asked')).wssUrl, stays.wssUrl)
    t.strictSame(stays.events.filter(isNoLapse), [])
  })

  t.test('two processes with one id – the older one is told, and does not return', async (t) => {
    const settings = newSettings()
    const gateway = await startGateway(t, server.hosts, settings)
    const { same: first } = await startNodes(t, server.port, settings, gateway, ['same'])
    const start = async (number: number) =>
      await startNode(t, server.port, 'same', settings, { wssUrl: `wss://same.example/${number}` })
    await claim(first.member, 'room')
    const second = await start(2)
    await until(() => first.events.includes('replaced'), 'the older process to be told', SESSION_MS / 3 + 1000 + NOISE_MS)
    t.match(await untilOk(gateway, 'room'), { wssUrl: 'wss://same.example/2' })
    t.equal(await second.member.claim(roomKey('room')), 'ok', 'the older one’s room is free')

    second.proxy.set('refuse')
    const third = await start(3)
    await until(() => second.events.includes('lapsed'))
    second.proxy.set('pass')
    await until(() => second.events.includes('replaced'), 'the process that was cut off to be told')
    await elapse(SESSION_MS, 'every earlier session to expire')
    const members = [first, second, third].map(({ member }) => member)
    t.strictSame(members.map((member) => member.valid()), [false, false, true])
    t.strictSame(gateway.registry.nodes().map(({ incarnation }) => incarnation), [third.member.incarnation])
    t.match(await untilOk(gateway, 'room'), { wssUrl: 'wss://same.example/3' })
    t.strictSame([first, second, third].map(({ events }) => events.filter(isNoLapse)), [['replaced'], ['replaced'], []])
  })
})

t.test('a node – whose connection is old when it registers – has the clock that dates the signatures, not a faster one', {
  skip: withoutZooKeeper
}, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const registry = makeRegistry(t, hosts, { root: newRoot(), ...STEADY })
  // The first member opens the connection, which the second one shares.
  const first = await registry.join(nodeRecord('n1'))
  await elapse(STEADY.sessionTimeout / 2, 'the connection to grow old')
  const second = await registry.join(nodeRecord('n2'))
  for (const member of [first, second]) {
    const ahead = member.now() - Date.now()
    t.ok(Math.abs(ahead) < 1000, `${ahead} ms ahead`)
  }
})
