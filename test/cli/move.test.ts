import t from 'tap'
import { moveVerb, waitUntilLeft } from '../../lib/cli/move.js'
import { redisRegistry } from '../../lib/registry/redis.js'
import { zookeeperRegistry } from '../../lib/registry/zookeeper.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { runCli } from './run-cli.js'
import type { Test } from 'tap'
import type { Membership, Registry, RoomKey } from '../../types/registry.js'

// Most of a command is waiting.
t.jobs = 2

const ENV = { REDIS_URL: '', ZOOKEEPER_HOSTS: '', COBROWSE_PREFIX: '' }
const ROOM = { tenant: 't1', room: 'r1' }
const BY = ['--reason', 'the picture freezes', '--author', 'anna']

interface Store {
  skip: string | false
  /** Starts a store. Returns the arguments that lead to it, and a way to make registries. */
  start (t: Test): Promise<{ args: string[], makeRegistry: () => Registry }>
}

const STORES: Record<string, Store> = {
  Redis: {
    skip: withoutRedis,
    async start (t) {
      const { port, url } = await startRedis(t)
      await skipSettling(connect(t, port))
      return { args: ['--redis', url], makeRegistry: () => redisRegistry({ redis: connect(t, port) }) }
    }
  },
  ZooKeeper: {
    skip: withoutZooKeeper,
    async start (t) {
      const { hosts } = await startZooKeeper(t)
      return { args: ['--zookeeper', hosts], makeRegistry: () => closing(t, zookeeperRegistry({ hosts })) }
    }
  }
}

function closing (t: Test, registry: Registry): Registry {
  t.teardown(async () => await registry.close())
  return registry
}

async function join (registry: Registry, id: string): Promise<Membership> {
  return await registry.join({ id, wssUrl: `wss://${id}.example/ws` })
}

/** Claims the room for a node, as if a gateway had chosen it. */
async function claim (member: Membership, room: RoomKey): Promise<void> {
  await until(async () => await member.claim(room) === 'ok', 'the node has the room')
}

const operationsOf = ({ operations }: Registry) => operations ?? t.fail('no operations') as never

for (const [name, { skip, start }] of Object.entries(STORES)) {
  t.test(`move on ${name} – an open room – waits until its node gave it up, and names the next one`, {
    skip
  }, async (t) => {
    const { args, makeRegistry } = await start(t)
    const registry = makeRegistry()
    const [first] = [await join(registry, 'n1'), await join(registry, 'n2'), await join(registry, 'n3')]
    await claim(first, ROOM)
    const moved = await runCli(['move', 't1', 'r1', '--to', 'n3', ...BY, ...args], ENV)
    t.match(moved, {
      code: 0, out: 'the room has left n1; the next caller gets the node n3: an operator moved the room away from n1\n'
    })
    t.match(moved.errors, /^(waiting until n1 gives the room up\n)?$/)
    t.equal(first.holds(ROOM), false)
    const explained = await runCli(['explain', 't1', 'r1', ...args], ENV)
    t.match(explained.out, /\nbound to {4}n1 \(moving to n3, given up, alive[,)]/)
    for await (const { node, state } of operationsOf(registry).rooms()) t.strictSame([node, state], ['n1', 'moved'])
    t.equal((await until(async () => await registry.assign(ROOM).catch(() => undefined), 'a node')).node.id, 'n3')
  })
}

t.test('move --json – a room that is bound to no node – tells so in one object, with exit code 0', {
  skip: withoutRedis
}, async (t) => {
  const { args, makeRegistry } = await STORES.Redis?.start(t) ?? t.fail('no store') as never
  await join(makeRegistry(), 'n1')
  const { code, out, errors } = await runCli(['move', 't1', 'r1', '--json', ...BY, ...args], ENV)
  t.strictSame([code, errors], [0, ''])
  t.strictSame(JSON.parse(out), { ...ROOM, outcome: 'unbound', next: 'the node n1: the room is bound to no node' })
})

t.test('move – a move that cannot be – names the argument, or says why no node may take the room', {
  skip: withoutRedis
}, async (t) => {
  Object.assign(process.env, ENV)
  const { args, makeRegistry } = await STORES.Redis?.start(t) ?? t.fail('no store') as never
  const registry = makeRegistry()
  const alone = await join(registry, 'n1')
  await claim(alone, ROOM)
  const refused: Array<[args: string[], message: RegExp]> = [
    [['t1', ...BY], /^ROOM is missing/],
    [['t1', 'r1'], /^--reason is missing: say why/],
    [['t1', 'r1', ...BY, '--reason', ''], /^--reason must be a text of 1 to 200/],
    [['t1', 'r1', ...BY, '--to', 'n 2'], /^--to must be the id of a node/],
    [['t1', 'r1', ...BY, '--to', 'n9'], /^--to: n9 may take no room \(it is not registered\)$/],
    [['t1', 'r1', ...BY, '--to', 'n1'], /^--to: the room is on n1 already$/]
  ]
  for (const [words, message] of refused) {
    const error: unknown = await moveVerb.run([...words, ...args]).catch((reason: unknown) => reason)
    t.match(error, { name: 'UsageError', message }, words.join(' '))
  }
  t.strictSame(await runCli(['move', 't1', 'r1', ...BY, ...args], ENV), {
    code: 1,
    out: '',
    errors: 'fastify-cobrowse: no node but n1 may take a room: start another node, or take back an order\n'
  })
  t.equal(alone.holds(ROOM), true)
})

t.test('move – a node that is cut off – is waited for as long as it may have the room open', {
  skip: withoutRedis
}, async (t) => {
  const { port, url } = await startRedis(t)
  await skipSettling(connect(t, port))
  const lost = connect(t, port)
  // Longer than this test, on any machine.
  const lease = 60_000
  await claim(await join(redisRegistry({ redis: lost, lease }), 'n1'), ROOM)
  lost.disconnect()
  const registry = redisRegistry({ redis: connect(t, port), lease })
  await join(registry, 'n2')
  const { move, explain } = operationsOf(registry)
  t.strictSame(await move(ROOM, { reason: 'cut off', author: 'anna' }), { outcome: 'moving', from: 'n1' })
  t.strictSame(await waitUntilLeft({ explain }, ROOM, { from: 'n1', ms: 0 }), {
    hasLeft: false, next: 'the error 50303: the room leaves n1, which has not given it up yet'
  })
  const explained = await runCli(['explain', 't1', 'r1', '--redis', url], ENV)
  t.match(explained.out, /\nbound to {4}n1 \(moving to another node, not given up, alive, until \d+ (s|min) from now\)/)
  const waiting = waitUntilLeft({ explain }, ROOM, { from: 'n1', ms: 20_000 })
  // Another process takes the id: the earlier one admits nobody from then on.
  await join(redisRegistry({ redis: connect(t, port), lease }), 'n1')
  t.match(await waiting, { hasLeft: true, next: /^the node n2: / })
})
