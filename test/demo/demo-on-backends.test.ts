import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import * as jose from 'jose'
import t from 'tap'
import { connect, skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { startDemo } from '../support/start-demo.js'
import { ask, open, sendUntilReceived } from './demo-client.js'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

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

t.test('two processes on one Redis share the rooms, with HTTP provision and a real key', { skip: withoutRedis }, async (t) => {
  const [redis, provision] = await Promise.all([startRedis(t), startProvision(t)])
  await skipSettling(connect(t, redis.port))
  const env = { REDIS_URL: redis.url, PROVISION_URL: provision.url, COBROWSE_KEY, COBROWSE_KEY_ID: '2026-11' }
  const [first, second] = await Promise.all([startDemo(t, env), startDemo(t, env)])
  for (let room = 0; room < 5; room++) {
    const { data: customer } = await ask(first, 'customer', 'recorder', `room-${room}`)
    const { data: agent } = await ask(second, 'agent', 'replayer', `room-${room}`)
    t.equal(customer.wssUrl, agent.wssUrl)
    t.equal(customer.wssUrlOut, `wss://relay.example:18446${new URL(customer.wssUrl).pathname}`)
    await t.resolves(jose.jwtVerify(customer.signature, Buffer.from(COBROWSE_KEY)))
    const sender = await open(customer, 'cobrowse.v1', customer.signature)
    const receiver = await open(agent, 'cobrowse.v1', agent.signature)
    t.equal(await sendUntilReceived(sender, receiver, 'hello'), 'hello')
    sender.terminate()
    receiver.terminate()
  }
  t.match(provision.asked, ['/address?tenant=demo'])
  t.ok(provision.asked.length <= 4, 'answers are kept')
  t.strictSame(await Promise.all([first.stop(), second.stop()]), [0, 0])
})

t.test('it starts without Redis, says so, and serves as soon as Redis is there', { skip: withoutRedis }, async (t) => {
  const redis = await startRedis(t)
  await redis.kill()
  const demo = await startDemo(t, { REDIS_URL: redis.url })
  t.match(demo.output(), /the token store cannot be reached yet/)
  const isReady = async () => (await fetch(`${demo.base}/readyz`)).status === 200
  while (await isReady()) await sleep(20)
  t.equal((await fetch(`${demo.base}/healthz`)).status, 200, 'the process lives')
  await redis.restart()
  while (!await isReady()) await sleep(50)
  let retCode = ''
  const codes = new Set<string>()
  for (let tries = 0; tries < 600 && retCode !== '0'; tries++) {
    retCode = (await ask(demo, 'customer', 'recorder')).retCode
    codes.add(retCode)
    await sleep(100)
  }
  t.equal(retCode, '0', 'the relay nodes have registered')
  t.ok(codes.has('50303'), 'a Redis that is empty settles first')
  t.equal(await demo.stop('SIGINT'), 0)
})
