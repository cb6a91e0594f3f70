import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import t from 'tap'
import { WebSocket } from 'ws'
import { checkNode } from '../../../lib/testing/index.js'
import { redisRegistry } from '../../../lib/registry/redis.js'
import { STEPS, stepsFor } from '../../../lib/testing/conformance/rules/index.js'
import { skipSettling } from '../../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../../support/redis-server.js'
import { SIGNING, TIMES } from './start-node.js'
import type { Test } from 'tap'
import type { CheckNodeOptions } from '../../../lib/testing/index.js'

const redis = new Redis({ lazyConnect: true })
const options: CheckNodeOptions = { redis, nodeId: 'node', signing: SIGNING, WebSocket, ...TIMES }
const nothing = () => {}

t.test('a wrong option – is rejected with its rule before anything is done', async (t) => {
  const bad: Array<[Record<string, unknown>, RegExp]> = [
    [{ redis: undefined }, /options of checkNode: give either "redis" or "zookeeper"/],
    [{ zookeeper: '127.0.0.1' }, /options of checkNode: give either "redis" or "zookeeper"/],
    [{ redis: undefined, zookeeper: 'zk:0' }, /"zookeeper" option of checkNode must be a list as in host:port/],
    [{ redis: undefined, zookeeper: 'zk', prefix: '{x}' }, /"prefix" option of checkNode is for "redis"/],
    [{ redis: {} }, /"redis" option of checkNode must be an ioredis client: it has no method "eval"/],
    [{ nodeId: 'a b' }, /"nodeId" option of checkNode must be 1 to 64 of/],
    [{ nodeId: undefined }, /"nodeId" option/],
    [{ WebSocket: 'ws' }, /"WebSocket" option of checkNode must be the constructor of a WebSocket/],
    [{ signing: { keys: [] } }, /"signing.keys" option/],
    [{ signing: { ...SIGNING, ttl: 60 } }, /"signing.ttl" option plus "signing.skew" must be at most the 6 seconds/],
    [{ lease: 300 }, /"lease" option of redisRegistry must be at least twice the "heartbeat"/],
    [{ prefix: 'x' }, /"prefix" option of redisRegistry must be a string with a {tag}/],
    [{ timeout: 0 }, /"timeout" option of checkNode must be an integer from 1/],
    [{ slack: -1 }, /"slack" option of checkNode must be an integer from 1/],
    [{ cut: nothing }, /"heal" option of checkNode must be a function where its counterpart is one/],
    [{ start: nothing }, /"stop" option of checkNode must be a function/],
    [{ only: ['claims', 'claim'] }, /"only" option of checkNode: there is no rule "claim"/],
    [{ later: 1 }, /"later" is not an option of checkNode; it takes redis,/]
  ]
  for (const [change, message] of bad) {
    await t.rejects(checkNode({ ...options, ...change }), { name: 'TypeError', message }, String(Object.keys(change)))
  }
  t.equal(redis.status, 'wait', 'no command was sent')
})

t.test('every rule – has its own id and a sentence', async (t) => {
  const rules = STEPS.flatMap(({ rules }) => rules)
  const ids = rules.map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const { id, rule } of rules) {
    t.match(id, /^[a-z]+(-[a-z]+)*$/)
    t.match(rule, /^[a-z].*[^.]$/)
  }
})

t.test('docs/relay-nodes.md – names every rule, and no other', async (t) => {
  const docs = readFileSync(new URL('../../../docs/relay-nodes.md', import.meta.url), 'utf8')
  const section = docs.split('\n### Checking a node\n')[1]?.split(/\n##+ /)[0] ?? ''
  const lines = section.split('\n').filter((line) => /^(\* `|\| `| {2}\S)/.test(line))
  const named = [...lines.join('\n').matchAll(/`([a-z-]+\*?)`/g)].map(([, name = '']) => name)
  const ids = STEPS.flatMap(({ rules }) => rules.map(({ id }) => id))
  const isNamed = (name: string, id: string) => name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name
  t.strictSame(ids.filter((id) => !named.some((name) => isNamed(name, id))), [])
  t.strictSame(named.filter((name) => !ids.some((id) => isNamed(name, id))), [])
})

/** Ids in brackets at the sentences of a contract. */
const namedIn = (contract: string) => [...contract.matchAll(/\((`[a-z-]+`(?:,\s+`[a-z-]+`)*)\)/g)]
  .flatMap(([, list = '']) => [...list.matchAll(/[a-z-]+/g)].map(([id]) => id))
const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const [, CONTRACT = ''] =
  /\n## In any language: the contract\n([^]*?)\n### Checking a node\n/.exec(read('relay-nodes.md')) ?? []

t.test('the contract in docs/relay-nodes.md – names each rule at the sentence that it checks', async (t) => {
  const ids = stepsFor('Redis').flatMap(({ rules }) => rules.map(({ id }) => id))
  const named = namedIn(CONTRACT)
  t.strictSame(ids.filter((id) => !named.includes(id)), [])
  t.strictSame(named.filter((id) => !ids.includes(id)), [])
})

t.test('the contract in docs/relay-nodes-zookeeper.md – names each rule that is not on the other page', async (t) => {
  const ids = stepsFor('ZooKeeper').flatMap(({ rules }) => rules.map(({ id }) => id))
  const named = namedIn(read('relay-nodes-zookeeper.md'))
  const common = namedIn(CONTRACT)
  t.strictSame(ids.filter((id) => !named.includes(id) && !common.includes(id)), [])
  t.strictSame(named.filter((id) => !ids.includes(id)), [])
})

t.test('docs/relay-nodes.md – lists the rules of each store', async (t) => {
  const [, onlyOnRedis = ''] = /\nThe report has the rules of the store alone\.([^]*?)\n\n/.exec(read('relay-nodes.md')) ?? []
  const named = [...onlyOnRedis.matchAll(/`([a-z-]+\*?)`/g)].map(([, name = '']) => name)
  const isNamed = ({ id }: { id: string }) =>
    named.some((name) => name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name)
  const rules = STEPS.flatMap(({ rules }) => rules)
  t.strictSame(rules.filter(isNamed), rules.filter(({ store }) => store === 'Redis'))
})

t.test('checks on a store', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const client = new Redis5(port, '127.0.0.1')
  t.teardown(() => client.disconnect())
  const given = { ...options, redis: client, slack: 100 }

  /** Registers a node without a server. */
  async function join (t: Test, prefix: string, id = 'node') {
    await skipSettling(client, prefix)
    const registry = redisRegistry({ redis: client, prefix, ...TIMES })
    const membership = await registry.join({ id, wssUrl: `ws://127.0.0.1:${await findFreePort()}/` })
    t.teardown(async () => await membership.leave())
    return membership
  }

  t.test('a store in use by another node – is left alone', async (t) => {
    const prefix = '{in-use}'
    const other = await join(t, prefix, 'other')
    await t.rejects(checkNode({ ...given, prefix }), /other nodes than "node" live under the prefix "{in-use}"/)
    t.ok(other.valid())
  })

  t.test('a missing node – nothing else is checked', async (t) => {
    const report = await checkNode({ ...given, prefix: '{empty}' })
    const [first, ...others] = report.rules
    t.match(first, { id: 'registers', outcome: 'broken', detail: 'no lease of "node" lives in the store' })
    t.strictSame([...new Set(others.map(({ outcome }) => outcome))], ['not checked'])
    t.equal(report.passed, false)
  })

  t.test('a registered node without a server – fails its first rules', async (t) => {
    const prefix = '{deaf}'
    await join(t, prefix)
    const lines: string[] = []
    const only = ['registers', 'admits', 'claims', 'leaves']
    const report = await checkNode({ ...given, prefix, only, log: (line) => lines.push(line) })
    const told = Object.fromEntries(report.rules.map(({ id, ...rest }) => [id, rest]))
    t.match(told, {
      registers: { outcome: 'kept' },
      admits: { outcome: 'broken', detail: /the recorder was not connected \(connect ECONNREFUSED/ },
      claims: { outcome: 'not checked', detail: 'the node does not do what it rests on' },
      tenants: { outcome: 'not checked', detail: 'not asked for' }
    })
    t.equal(lines.length, 3, 'a line for each that was checked, and a summary')
  })

  t.test('missing options of a step – the rules that need it are not checked', async (t) => {
    const prefix = '{needs}'
    await join(t, prefix)
    const report = await checkNode({ ...given, prefix, only: ['registers', 'record', 'cut-lone', 'leaves'] })
    const details = report.rules.flatMap(({ id, detail }) => ['cut-lone', 'leaves'].includes(id) ? detail : [])
    t.strictSame(details, ['it needs the options "cut" and "heal"', 'it needs the options "stop" and "start"'])
    t.equal(report.passed, true, 'unchecked rules do not count')
  })
})
