import t from 'tap'
import { BEAT, CLAIM_ROOMS, REGISTER } from '../../../lib/registry/redis/scripts/node.js'
import { elapse } from '../../support/elapse.js'
import { connect, EPOCH, FAST, makeRegistry } from '../../support/redis-registry.js'
import { withoutRedis } from '../../support/redis-server.js'
import { eventually, until } from '../../support/until.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { LEASES, nameOf, RARE, setUpNodes } from './set-up-nodes.js'
import type { Redis } from 'ioredis'
import type { Script } from '../../../lib/registry/redis/scripts/prelude.js'
import type { Membership, RedisScripter } from '../../../types/index.js'

const NODES = '{cobrowse}:nodes'
const META = '{cobrowse}:meta'

function listen (member: Membership): string[] {
  const events: string[] = []
  member.on('lapsed', () => events.push('lapsed'))
  member.on('resumed', () => events.push('resumed'))
  return events
}

type Send = () => Promise<unknown>

/** Creates a client whose test decides when the commands of one script are sent and answered. */
function intercept (redis: Redis, { sha1, text }: Script, carry: (send: Send) => Promise<unknown>): RedisScripter {
  return {
    get status () {
      return redis.status
    },
    eval: async (...args) => await redis.eval(...args),
    evalsha: async (script, ...args) => script === sha1
      ? await carry(async () => await redis.eval(text, ...args))
      : await redis.evalsha(script, ...args)
  }
}

t.test('heartbeats – keep the lease alive', { skip: withoutRedis }, async (t) => {
  const { redis, nodes } = await setUpNodes(t)
  const member = await nodes.join(nodeRecord('n1'))
  const events = listen(member)
  const before = Number(await redis.zscore(LEASES, nameOf(member)))
  await until(async () => Number(await redis.zscore(LEASES, nameOf(member))) > before + 1500)
  t.equal(member.valid(), true)
  t.strictSame(events, [])
})

t.test('a lease that is gone in the store – causes a new incarnation, which takes over the open rooms', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t)
  const member = await nodes.join(nodeRecord('n1'))
  const events = listen(member)
  const rooms = Array.from({ length: 300 }, () => newRoom())
  for (const room of rooms) t.equal(await member.claim(room), 'ok')
  const [left] = rooms
  if (left !== undefined) await member.release(left)
  const before = member.incarnation
  await redis.zrem(LEASES, nameOf(member))
  await until(() => events.includes('resumed'))
  t.strictSame(events, ['lapsed', 'resumed'])
  t.not(member.incarnation, before)
  t.equal(member.valid(), true)
  t.strictSame(await redis.hkeys(NODES), [nameOf(member)], 'the old registration is replaced')
  const texts = await redis.mget(await redis.keys('*:room:*'))
  const isOurs = (text: string | null) => text?.startsWith(`${EPOCH}|${nameOf(member)}|claimed|`)
  t.equal(texts.filter(isOurs).length, 299, 'all but the released room')
  t.equal((await gateway.assign(rooms[1] ?? newRoom())).node.incarnation, member.incarnation)
})

t.test('rooms bound to another node in between – are not taken back', { skip: withoutRedis }, async (t) => {
  const { server, redis, nodes, gateway } = await setUpNodes(t)
  const member = await nodes.join(nodeRecord('n1'))
  const events = listen(member)
  const lost: unknown[] = []
  member.on('lost', (room) => lost.push(room))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  const other = await makeRegistry(t, connect(t, server.port)).join(nodeRecord('n2'))
  // One transaction, so that no heartbeat comes in between.
  await redis.multi().zrem(LEASES, nameOf(member)).set((await redis.keys('*:room:*'))[0] ?? '', `${EPOCH}|${nameOf(other)}|claimed|1`)
    .exec()
  await until(() => events.includes('resumed'))
  t.strictSame(lost, [room], 'clients inside are sent after their room')
  t.equal(member.holds(room), false)
  t.equal((await gateway.assign(room)).node.id, 'n2')
  t.equal(await member.claim(room), 'elsewhere')
})

t.test('a node that cannot reach the store – lapses before the store says so', {
  skip: withoutRedis
}, async (t) => {
  const { server, redis, nodes } = await setUpNodes(t)
  const member = await nodes.join(nodeRecord('n1'))
  const events = listen(member)
  const before = member.incarnation
  server.pause()
  // The event must be emitted without a query.
  await until(() => events.length > 0)
  t.strictSame(events, ['lapsed'])
  t.equal(member.valid(), false)
  t.equal(await member.claim(newRoom()), 'lapsed', 'without asking')
  await elapse(FAST.lease, 'the lease to expire in the store as well')
  server.resume()
  await until(() => events.includes('resumed'))
  t.not(member.incarnation, before, 'the lease has expired in the store as well')
  t.equal(await member.claim(newRoom()), 'ok')
  t.strictSame(await redis.zrange(LEASES, '0', '-1'), [nameOf(member)])
})

t.test('either clock alone – is enough to lapse, at once', { skip: withoutRedis }, async (t) => {
  const { nodes } = await setUpNodes(t, RARE)
  const clocks: Array<{ now: () => number }> = [performance, Date]
  for (const clock of clocks) {
    const member = await nodes.join(nodeRecord('n1'))
    const events = listen(member)
    const now = clock.now.bind(clock)
    let ahead = 59_000
    const restore = t.intercept(clock, 'now', { value: () => now() + ahead })
    t.equal(member.valid(), true)
    ahead = 59_600
    t.equal(member.valid(), false)
    t.strictSame(events, ['lapsed'])
    ahead = 0
    t.equal(member.valid(), false, 'a lapse is final')
    restore.restore()
    await member.leave()
  }
})

t.test('a lease – counts from the sending of its heartbeat, however late the answer', {
  skip: withoutRedis
}, async (t) => {
  const { server } = await setUpNodes(t)
  let [ahead, late] = [0, 0]
  const nodes = makeRegistry(t, intercept(connect(t, server.port), BEAT, async (send) => {
    const answer = await send()
    ahead += late
    return answer
  }), RARE)
  const member = await nodes.join(nodeRecord('n1'))
  const now = performance.now.bind(performance)
  t.intercept(performance, 'now', { value: () => now() + ahead })
  late = 30_000
  await member.undrain()
  ahead = 50_000
  t.equal(member.valid(), true)
  ahead = RARE.lease
  t.equal(member.valid(), false)
})

t.test('an unanswered registration – is sent again unchanged, before any heartbeat', {
  skip: withoutRedis
}, async (t) => {
  const { server, redis } = await setUpNodes(t)
  let isCut = false
  let arriveLate: Send = async () => t.fail('no command was sent')
  const nodes = makeRegistry(t, intercept(connect(t, server.port), REGISTER, async (send) => {
    if (!isCut) return await send()
    arriveLate = send
    throw new Error('no answer')
  }), RARE)
  const member = await nodes.join(nodeRecord('n1'))
  const before = nameOf(member)
  await redis.zrem(LEASES, before)
  isCut = true
  await member.undrain()
  t.equal(member.valid(), false)
  isCut = false
  // A fail-over may do this. A heartbeat would be granted at this point, and the registration would then end its lease.
  await redis.zadd(LEASES, Date.now() + RARE.lease, before)
  await member.undrain()
  await arriveLate()
  t.equal(member.valid(), true)
  t.strictSame(await redis.zrange(LEASES, '0', '-1'), [nameOf(member)], 'the registered member is the node’s own')
  t.not(nameOf(member), before)
})

t.test('a claim from before the epoch – written late – takes no room', { skip: withoutRedis }, async (t) => {
  const { server, redis, nodes } = await setUpNodes(t, RARE)
  let arriveLate: Send = async () => t.fail('no command was sent')
  const slow = makeRegistry(t, intercept(connect(t, server.port), CLAIM_ROOMS, async (send) => {
    arriveLate = send
    throw new Error('no answer')
  }), RARE)
  const holder = await nodes.join(nodeRecord('n1'))
  const lost: unknown[] = []
  holder.on('lost', (room) => lost.push(room))
  const other = await slow.join(nodeRecord('n2'))
  const room = newRoom()
  t.equal(await holder.claim(room), 'ok')
  await t.rejects(other.claim(room))
  await redis.hset(META, 'epoch', 'the-next-of-22-letters')
  await arriveLate()
  await holder.undrain()
  t.strictSame([holder.holds(room), lost], [true, []], 'its node has claimed it again')
  const [key = ''] = await redis.keys('*:room:*')
  t.match(await redis.get(key), `|${nameOf(holder)}|claimed|`)
})

t.test('a claim that the store finds lapsed – registers the node again at once', { skip: withoutRedis }, async (t) => {
  const { redis, nodes } = await setUpNodes(t, { heartbeat: 30_000, lease: 60_000 })
  const member = await nodes.join(nodeRecord('n1'))
  const events = listen(member)
  await redis.zrem(LEASES, nameOf(member))
  t.equal(await member.claim(newRoom()), 'lapsed')
  await until(() => events.includes('resumed'))
  t.equal(await member.claim(newRoom()), 'ok')
})

t.test('a late release – does not cut a newer claim, and a late claim takes no released room', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes } = await setUpNodes(t, RARE)
  const member = await nodes.join(nodeRecord('n1'))
  const room = newRoom()
  t.equal(await member.claim(room), 'ok')
  const [key = ''] = await redis.keys('*:room:*')
  await redis.set(key, `${EPOCH}|${nameOf(member)}|claimed|7`)
  await member.release(room)
  t.match(await redis.get(key), /claimed\|7$/)
  const other = await nodes.join(nodeRecord('n2'))
  for (let claims = 0; claims < 8; claims++) await other.claim(newRoom())
  await other.release(room)
  t.equal(await redis.get(key), `${EPOCH}|${nameOf(member)}|claimed|7`, 'a release by another node changes nothing')
  await redis.set(key, `${EPOCH}|${nameOf(member)}|released|7`)
  await t.rejects(member.claim(room), 'the second claim is older than the seventh')
  t.match(await redis.get(key), /released\|7$/)
})

t.test('nodes that never came back – are removed a minute later', { skip: withoutRedis }, async (t) => {
  const { redis, nodes } = await setUpNodes(t)
  const dead = Array.from({ length: 40 }, (_value, number) => `dead-${number}|x`)
  await redis.zadd(LEASES, ...dead.flatMap((name) => [Date.now() - 61_000, name]), Date.now() - 30_000, 'late|x')
  await redis.hset(NODES, ...dead.flatMap((name) => [name, '{}']), 'late|x', '{}')
  const member = await nodes.join(nodeRecord('n1'))
  await eventually(async () => await redis.zcard(LEASES), 2)
  t.strictSame((await redis.hkeys(NODES)).sort(), ['late|x', nameOf(member)].sort())
})

t.test('a listener that throws – does not stop the heartbeat', { skip: withoutRedis }, async (t) => {
  const { redis, nodes } = await setUpNodes(t)
  const member = await nodes.join(nodeRecord('n1'))
  const thrown: unknown[] = []
  const catchIt = (error: unknown) => { thrown.push(error) }
  process.setUncaughtExceptionCaptureCallback(catchIt)
  t.teardown(() => process.setUncaughtExceptionCaptureCallback(null))
  member.on('lapsed', () => { throw new Error('of the host') })
  const events = listen(member)
  await redis.zrem(LEASES, nameOf(member))
  await until(() => events.includes('resumed') || thrown.length > 1)
  t.match(thrown, [{ message: 'of the host' }])
  t.equal(member.valid(), true)
})

t.test('a record that no gateway would read – is rejected', { skip: withoutRedis }, async (t) => {
  const { nodes } = await setUpNodes(t)
  const long = `wss://n1.example/${'x'.repeat(2030)}`
  await t.rejects(nodes.join(nodeRecord('n1', { wssUrl: long, wssUrlOut: long })), { name: 'TypeError', message: /4096/ })
})
