import t from 'tap'
import { withoutRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { LEASES, nameOf, RARE, setUpNodes } from './set-up-nodes.js'
import type { Membership, RoomKey } from '../../../types/index.js'

const ENDS_TO_TELL = '{cobrowse}:releases'
const ENDED = '{cobrowse}:ended'

t.test('ends of calls – no node left to hear of them – are not kept', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t, RARE)
  const stays = await nodes.join(nodeRecord('stays'))
  const openRooms = async (member: Membership) => {
    const rooms = Array.from({ length: 20 }, () => newRoom())
    for (const room of rooms) t.equal(await member.claim(room), 'ok')
    return rooms
  }
  const endAll = async (rooms: RoomKey[]) => await Promise.all(rooms.map(async (room) => await gateway.end?.(room)))
  const [left, gone, lapsed] = await Promise.all(['left', 'gone', 'lapsed'].map(async (id) => await nodes.join(nodeRecord(id))))
  if (left === undefined || gone === undefined || lapsed === undefined) throw new Error('no node')

  await endAll(await openRooms(left))
  t.equal(await redis.zcard(ENDS_TO_TELL), 20)
  await left.leave()
  t.equal(await redis.zcard(ENDS_TO_TELL), 0, 'none for a node that leaves')

  const [ofGone, ofLapsed] = [await openRooms(gone), await openRooms(lapsed)]
  await gone.leave()
  await redis.zadd(LEASES, 1, nameOf(lapsed))
  await endAll([...ofGone, ...ofLapsed])
  t.equal(await redis.zcard(ENDS_TO_TELL), 0, 'none for nodes that are gone')
  await lapsed.drain()
  await until(() => ofLapsed.every((room) => !lapsed.holds(room)), 'a returning node to hear of the ends')

  await endAll(await openRooms(stays))
  await stays.drain()
  await stays.drain()
  t.equal(await redis.zcard(ENDS_TO_TELL), 0, 'none that the node has heard of')
})

t.test('ends of calls – more than a heartbeat claims rooms – are all reported by one heartbeat', {
  skip: withoutRedis
}, async (t) => {
  const { nodes, gateway } = await setUpNodes(t, RARE)
  const member = await nodes.join(nodeRecord('n1'))
  const rooms = Array.from({ length: 600 }, () => newRoom())
  for (let at = 0; at < rooms.length; at += 50) {
    await Promise.all(rooms.slice(at, at + 50).map(async (room) => {
      await until(async () => await member.claim(room).catch(() => '') === 'ok')
      await until(async () => await gateway.end?.(room).then(() => true, () => false))
    }))
  }
  t.ok(rooms.every((room) => member.holds(room)), 'the node has heard of none')
  await member.undrain()
  t.strictSame(rooms.filter((room) => member.holds(room)), [])
})

t.test('ends of calls without a room – any number – are bounded, and push out no other end', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t, RARE)
  const member = await nodes.join(nodeRecord('n1'))
  const before = Math.floor(member.now() / 1000)
  const [room, roomless] = [newRoom(), newRoom()]
  t.equal(await member.claim(room, { issuedAt: before }), 'ok')
  await gateway.end?.(room)
  const now = Date.now()
  const [name = '', moment = ''] = await redis.zrange(ENDED, '0', '-1', 'WITHSCORES')
  // This end is older than all that follow.
  await redis.zadd(ENDED, Math.sign(Number(moment)) * (now - 60_000), name)
  for (let at = 0; at < 12_000; at += 1000) {
    const flood = Array.from({ length: 1000 }, (_, more) => [at + more - now, `flood-${at + more}`])
    await redis.zadd(ENDED, ...flood.flat())
  }
  await gateway.end?.(roomless)
  t.equal(await redis.zcount(ENDED, '-inf', 0), 10_000)
  const other = await nodes.join(nodeRecord('n2'))
  t.equal(await other.claim(room, { issuedAt: before - 120 }), 'ended')
  t.equal(await other.claim(roomless, { issuedAt: before }), 'ended', 'the latest end is kept')
  t.equal(await redis.zscore(ENDED, 'flood-11999'), null, 'the oldest go')

  await redis.zadd(ENDED, 900_000 - now - 60_000, 'old without a room', now - 960_000, 'old')
  await gateway.end?.(newRoom())
  t.strictSame(await redis.zrangebyscore(ENDED, 900_000 - now, now - 900_000), [])
})

t.test('the end of a call – the store pauses for longer than a gateway waits – is written', { skip: withoutRedis }, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t, RARE)
  const member = await nodes.join(nodeRecord('n1'))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  await redis.call('CLIENT', 'PAUSE', '700', 'ALL')
  await gateway.end?.(room)
  await member.drain()
  t.equal(member.holds(room), false, 'the node has heard of it')
})
