import t from 'tap'
import { RegistrySettlingError, RegistryUnavailableError } from '../../../lib/errors.js'
import { makeRegistry } from '../../support/redis-registry.js'
import { withoutRedis } from '../../support/redis-server.js'
import { newRoom, nodeRecord } from '../../../lib/testing/contracts/rooms.js'
import { LEASES, nameOf, RARE, setUpNodes } from './set-up-nodes.js'
import type { Redis } from 'ioredis'
import type { RedisScripter, RoomKey, SelectNode } from '../../../types/index.js'

/** Keys of every script; the rooms follow. */
const COMMON_KEYS = 8

/** Counts the scripts that run on rooms. */
function countRuns (redis: Redis) {
  const runs: number[] = []
  const client: RedisScripter = {
    get status () {
      return redis.status
    },
    eval: async (...args) => await redis.eval(...args),
    async evalsha (sha1, count, ...args) {
      if (count > COMMON_KEYS) runs.push(count - COMMON_KEYS)
      return await redis.evalsha(sha1, count, ...args)
    }
  }
  return { runs, client }
}

t.test('requests of one turn – rooms in every state – are answered by one script, each as if it were alone', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes } = await setUpNodes(t, RARE)
  const [n1, n2] = [await nodes.join(nodeRecord('n1')), await nodes.join(nodeRecord('n2'))]
  const { runs, client } = countRuns(redis)
  const gateway = makeRegistry(t, client, RARE)
  const [fresh, claimed, broken, left] = [newRoom(), newRoom(), newRoom(), newRoom()]
  t.equal(await n2.claim(claimed), 'ok')
  // Both are read by the first answer, so that the gateway knows their keys.
  const keyOf = async (room: RoomKey) => {
    const before = new Set(await redis.keys('*:room:*'))
    await gateway.assign(room)
    return (await redis.keys('*:room:*')).find((key) => !before.has(key)) ?? ''
  }
  await redis.set(await keyOf(broken), 'no binding')
  await redis.set(await keyOf(left), 'an-epoch-of-22-letters|gone|x|claimed|0')
  runs.length = 0
  const [first, second, third, fourth] = await Promise.allSettled([
    gateway.assign(fresh), gateway.assign(claimed), gateway.assign(broken), gateway.assign(left)
  ])
  t.match(first, { status: 'fulfilled', value: { node: { id: /^n[12]$/ }, joinOnly: false } })
  t.match(second, { status: 'fulfilled', value: { node: { id: 'n2', incarnation: n2.incarnation } } })
  t.match(third, { status: 'rejected', reason: RegistryUnavailableError })
  t.match(fourth, { status: 'fulfilled', value: { node: { id: /^n[12]$/ } } }, 'a dead node is replaced')
  t.strictSame(runs, [4])
  t.equal((await gateway.assign(fresh)).node.id, first.status === 'fulfilled' ? first.value.node.id : '')
  t.ok(n1.incarnation)
})

t.test('requests of one turn – for one new room – name one node', { skip: withoutRedis }, async (t) => {
  const { redis, nodes } = await setUpNodes(t, RARE)
  for (const id of ['n1', 'n2', 'n3']) await nodes.join(nodeRecord(id))
  const { runs, client } = countRuns(redis)
  const gateway = makeRegistry(t, client, RARE)
  await gateway.assign(newRoom())
  runs.length = 0
  const room = newRoom()
  const answers = await Promise.all(Array.from({ length: 100 }, async () => await gateway.assign(room)))
  t.equal(new Set(answers.map(({ node }) => node.id)).size, 1)
  t.strictSame(runs, [32, 32, 32, 4])
})

t.test('requests of one turn – each with its own choice of nodes – get a node of their own choice', {
  skip: withoutRedis
}, async (t) => {
  const { nodes, gateway } = await setUpNodes(t, RARE)
  const ids = ['n1', 'n2', 'n3']
  for (const id of ids) await nodes.join(nodeRecord(id))
  await gateway.assign(newRoom())
  const chosen = await Promise.all([...ids, ...ids].map(async (wanted) => {
    const selectNode: SelectNode = (candidates) => candidates.filter(({ id }) => id === wanted)
    return (await gateway.assign(newRoom(), { selectNode })).node.id
  }))
  t.strictSame(chosen, [...ids, ...ids])
})

t.test('requests of one turn – a node may be dead, others live – are refused and answered', {
  skip: withoutRedis
}, async (t) => {
  const { redis, nodes, gateway } = await setUpNodes(t, RARE)
  const members = await Promise.all(['n1', 'n2', 'n3'].map(async (id) => await nodes.join(nodeRecord(id))))
  const rooms = members.map(() => newRoom())
  for (const [at, member] of members.entries()) t.equal(await member.claim(rooms[at] ?? newRoom()), 'ok')
  // Two of three vanish at once.
  for (const member of members.slice(0, 2)) await redis.zadd(LEASES, Date.now() - 1, nameOf(member))
  const [first, second, third] = await Promise.allSettled(rooms.map(async (room) => await gateway.assign(room)))
  for (const vanished of [first, second]) t.match(vanished, { status: 'rejected', reason: RegistrySettlingError })
  t.match(third, { status: 'fulfilled', value: { node: { id: 'n3' } } })
})
