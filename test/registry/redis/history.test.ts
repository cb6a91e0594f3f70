import t from 'tap'
import { connect, makeRegistry, skipSettling } from '../../support/redis-registry.js'
import { withoutRedis } from '../../support/redis-server.js'
import { eventually } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { RARE, setUpNodes } from './set-up-nodes.js'
import type { Registry, RoomKey } from '../../../types/index.js'

const STREAM = '{cobrowse}:history'
const WHY = { reason: 'the picture freezes', author: 'anna' }

const historyOf = async ({ operations }: Registry, room: RoomKey) => (await operations?.explain(room))?.history ?? []
const eventsOf = async (registry: Registry, room: RoomKey) =>
  (await historyOf(registry, room)).map(({ event, node = '', instead }) => [event, node, instead?.why ?? ''].join(' ').trim())

t.test('a room – that went through a flush, a move and the death of its node – has all three in its history', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t)
  const [n1, n2] = [await nodes.join(nodeRecord('n1')), await nodes.join(nodeRecord('n2'))]
  await nodes.join(nodeRecord('n3'))
  const nodeOf = async () => await gateway.assign(room).then(({ node }) => node.id, (error) => error.name)
  const room = newRoom()
  t.equal(await n1.claim(room), 'ok')
  await redis.flushall()
  await eventually(async () => (await redis.get(`{cobrowse}:room:${(await gateway.operations?.explain(room))?.key}`))?.includes('|n1|'), true)
  await redis.hset('{cobrowse}:meta', 'settledAt', 1, 'yieldUntil', 1)
  await eventually(nodeOf, 'n1')
  // A history begins with the first choice.
  await eventually(async () => await gateway.assign(newRoom()).then(() => true, () => false), true)
  await gateway.operations?.move(room, { ...WHY, to: 'n2' })
  await eventually(nodeOf, 'n2')
  t.equal(await n2.claim(room), 'ok')
  await n2.leave()
  await eventually(nodeOf, /^n[13]$/)
  const events = await eventsOf(gateway, room)
  t.match(events, [/^chosen n[13] died$/, 'claimed n2', 'chosen n2 moved', 'moved n1', 'epoch'])
  const [chosen, , , moved] = await historyOf(gateway, room)
  t.match(chosen?.text, /^\S+ \d+ chose n[13], since n2 was gone, from \d with the loads n\d: [\d.]+, /)
  t.equal(moved?.text, 'anna moved the room away from n1 to n2: the picture freezes')
})

t.test('the history – of any number of events – is bounded, and the latest are told', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t, RARE)
  await nodes.join(nodeRecord('n1'))
  const room = newRoom()
  await gateway.assign(room)
  const addMany = `for i = 1, 70000 do
    redis.call('XADD', KEYS[1], '*', 'room', 'another', 'event', 'claimed', 'node', 'n1|i') end`
  await redis.eval(addMany, 1, STREAM)
  t.match(await eventsOf(gateway, room), ['chosen n1'], 'an event behind many of other rooms')
  const later = newRoom()
  await gateway.assign(later)
  // One write removes some thousands at most.
  for (let writes = 0; writes < 4; writes++) await gateway.assign(newRoom())
  t.ok(await redis.xlen(STREAM) <= 50_200, `${await redis.xlen(STREAM)} events`)
  t.match(await eventsOf(gateway, later), ['chosen n1'])
  t.strictSame((await eventsOf(gateway, room)).filter((event) => event !== 'epoch'), [])
})

t.test('history: false – no gateway with a history – nothing is written', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t, { ...RARE, history: false })
  const n1 = await nodes.join(nodeRecord('n1'))
  const room = newRoom()
  await gateway.assign(room)
  t.equal(await n1.claim(room), 'ok')
  await gateway.end?.(room)
  t.equal(await redis.exists(STREAM), 0)
  t.strictSame((await eventsOf(gateway, room)).filter((event) => event !== 'epoch'), [])
})

t.test('a history that cannot be kept – a wrong type, or no right – costs no room', { skip: withoutRedis }, async (t) => {
  const { server, redis, nodes } = await setUpNodes(t, RARE)
  await redis.set(STREAM, 'a text')
  const n1 = await nodes.join(nodeRecord('n1'))
  await redis.call('ACL', 'SETUSER', 'old', 'on', '>secret', '~*', '+@all', '-xadd', '-exists', '-xrevrange')
  const old = makeRegistry(t, connect(t, server.port, { username: 'old', password: 'secret' }), RARE)
  for (const registry of [nodes, old]) {
    const room = newRoom()
    await registry.assign(room)
    t.equal(await n1.claim(room), 'ok')
    t.strictSame((await eventsOf(registry, room)).filter((event) => event !== 'epoch'), [])
  }
  await skipSettling(redis)
})
