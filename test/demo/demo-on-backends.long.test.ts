import { createServer } from 'node:http'
import * as jose from 'jose'
import t from 'tap'
import { readEnv } from '../../demo/env.js'
import { connect, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { runDemo, startDemo } from '../support/start-demo.js'
import { eventually, until } from '../support/until.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { ask, open, sendUntilReceived } from './demo-client.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { ConnectionInfo } from '../../types/index.js'
import type { RunningDemo } from '../support/start-demo.js'

const COBROWSE_KEY = 'a key of the operator, long enough'

async function startProvision (t: Test) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end(JSON.stringify({ data: { address: 'relay.example:18446' } }))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/address?tenant={tenantId}` }
}

/** Waits until this process knows its own nodes and those of the others. */
async function untilRegistered (demo: RunningDemo): Promise<void> {
  await eventually(async () => (await ask(demo, 'customer', 'recorder', 'first')).retCode, '0')
}

/** Asks again as a page does, since a busy machine may exceed the request timeout. */
async function askUntilAnswered (demo: RunningDemo, ...question: [string, string, string]): Promise<ConnectionInfo> {
  return await until(async () => (await ask(demo, ...question)).data)
}

/** Checks that each side of a room receives the other's messages. */
async function meet (t: Test, customer: ConnectionInfo, agent: ConnectionInfo): Promise<void> {
  const sender = await open(customer, 'cobrowse.v1', customer.signature)
  const receiver = await open(agent, 'cobrowse.v1', agent.signature)
  t.equal(await sendUntilReceived(sender, receiver, 'hello'), 'hello')
  sender.terminate()
  receiver.terminate()
}

t.test('two processes on one Redis – HTTP provision and a real key – share the rooms', { skip: withoutRedis }, async (t) => {
  const [redis, provision] = await Promise.all([startRedis(t), startProvision(t)])
  await skipSettling(connect(t, redis.port))
  const env = { REDIS_URL: redis.url, PROVISION_URL: provision.url, COBROWSE_KEY, COBROWSE_KEY_ID: '2026-11' }
  const [first, second] = await Promise.all([startDemo(t, env), startDemo(t, env)])
  for (let room = 0; room < 5; room++) {
    const customer = await askUntilAnswered(first, 'customer', 'recorder', `room-${room}`)
    const agent = await askUntilAnswered(second, 'agent', 'replayer', `room-${room}`)
    t.equal(customer.wssUrl, agent.wssUrl)
    t.equal(customer.wssUrlOut, `wss://relay.example:18446${new URL(customer.wssUrl ?? '').pathname}`)
    await t.resolves(jose.jwtVerify(customer.signature, Buffer.from(COBROWSE_KEY)))
    await meet(t, customer, agent)
  }
  t.match(provision.asked, ['/address?tenant=demo'])
  t.ok(provision.asked.length <= 4, 'answers are cached')
  t.strictSame(await Promise.all([first.stop(), second.stop()]), [0, 0])
})

t.test('the server – started without Redis – logs it, and serves as soon as Redis is there', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  await redis.kill()
  const demo = await startDemo(t, { REDIS_URL: redis.url })
  t.match(demo.output(), /the token store cannot be reached yet/)
  const isReady = async () => (await fetch(`${demo.base}/readyz`)).status === 200
  await eventually(isReady, false)
  t.equal((await fetch(`${demo.base}/healthz`)).status, 200, 'the process is live')
  await redis.restart()
  await eventually(isReady, true)
  const codes = new Set<string>()
  await until(async () => {
    const { retCode } = await ask(demo, 'customer', 'recorder')
    codes.add(retCode)
    return retCode === '0'
  }, 'an answer after the relay nodes have registered', 60_000)
  t.ok(codes.has('50303'), 'an empty Redis settles first')
  t.equal(await demo.stop('SIGINT'), 0)
})

t.test('two processes on one ZooKeeper – share the rooms', { skip: withoutZooKeeper }, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const env = { ZOOKEEPER_HOSTS: hosts, ZOOKEEPER_AUTH: 'demo:password', NODES: '1' }
  const demos = await Promise.all([startDemo(t, env), startDemo(t, env)])
  const [first, second] = demos
  t.match(first.output(), /tokens +in memory: valid at this process alone/)
  await Promise.all(demos.map(untilRegistered))
  const used = new Set<string>()
  for (let room = 0; room < 20 && (room < 5 || used.size < 2); room++) {
    const customer = await askUntilAnswered(first, 'customer', 'recorder', `room-${room}`)
    const agent = await askUntilAnswered(second, 'agent', 'replayer', `room-${room}`)
    t.equal(customer.wssUrl, agent.wssUrl)
    used.add(customer.wssUrl ?? '')
    await meet(t, customer, agent)
  }
  t.equal(used.size, 2, 'rooms on nodes of both processes')
  t.strictSame(await Promise.all(demos.map(async (demo) => await demo.stop())), [0, 0])
})

t.test('the registry – both Redis and ZooKeeper configured – is the one that REGISTRY names', {
  skip: withoutRedis || withoutZooKeeper
}, async (t) => {
  const [redis, zookeeper] = await Promise.all([startRedis(t), startZooKeeper(t)])
  const client = connect(t, redis.port)
  await skipSettling(client)
  const both = { REDIS_URL: redis.url, ZOOKEEPER_HOSTS: zookeeper.hosts, NODES: '1' }
  const [inZooKeeper, inRedis] = await Promise.all(['zookeeper', 'redis'].map(async (REGISTRY) =>
    await startDemo(t, { ...both, REGISTRY, NODE_PREFIX: REGISTRY })))
  if (inZooKeeper === undefined || inRedis === undefined) throw new Error('two were started')
  await Promise.all([inZooKeeper, inRedis].map(untilRegistered))
  t.equal((await client.hkeys('{cobrowse}:nodes')).length, 1)
  t.match((await client.hkeys('{cobrowse}:nodes'))[0], /^redis-1\|/, 'the other Redis is not a registry')
  t.ok((await client.keys('TOKENKEY:*')).length > 0)
  for (const demo of [inZooKeeper, inRedis]) {
    t.notMatch(demo.output(), /tokens +in memory/)
    t.ok(await askUntilAnswered(demo, 'customer', 'recorder', 'room'))
  }
})

t.test('the server – two registries, or one without an address – never starts', async (t) => {
  const REDIS_URL = 'redis://127.0.0.1:1'
  const ZOOKEEPER_HOSTS = '127.0.0.1:1'
  const { exited, output } = runDemo({ REDIS_URL, ZOOKEEPER_HOSTS })
  t.equal(await exited, 1)
  t.match(output(), /REDIS_URL and ZOOKEEPER_HOSTS are both set.*: unset one, or set REGISTRY=redis or/)
  t.throws(() => readEnv({ ZOOKEEPER_HOSTS, REGISTRY: 'redis' }), /REDIS_URL must be set when REGISTRY is redis/)
  t.throws(() => readEnv({ REDIS_URL, REGISTRY: 'zookeeper' }), /ZOOKEEPER_HOSTS must be set when REGISTRY is zookeeper/)
  t.throws(() => readEnv({ REDIS_URL, REGISTRY: 'memory' }), /REGISTRY must be equal to one of the allowed values/)
})
