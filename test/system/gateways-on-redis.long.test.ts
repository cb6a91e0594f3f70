import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import fastifyRedis from '@fastify/redis'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import { cobrowse, redisRegistry, redisSessions } from '../../lib/index.js'
import { makeToken, toUid } from '../../lib/sessions/token.js'
import { body, buildApp, defaults, PATH, session } from '../support/build-app.js'
import { skipSettling } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { silentLog } from '../support/silent-log.js'
import { eventually, until } from '../support/until.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

const WORKER = fileURLToPath(new URL('../support/gateway-worker.mjs', import.meta.url))
const PROCESSES = 8
const CALLS = 8
const ROOMS = 100
const NODES = 4
const token = makeToken(session, 1)

async function startGateways (t: Test, port: number, count: number): Promise<ChildProcess[]> {
  const args = [String(port), PATH, 'x'.repeat(32)]
  const children = Array.from({ length: count }, () => fork(WORKER, args, { execArgv: [] }))
  t.teardown(() => children.forEach((child) => child.kill('SIGKILL')))
  await Promise.all(children.map(async (child) => await once(child, 'message')))
  return children
}

/** Answers per room: the address of the node, or the retCode. */
async function order (child: ChildProcess, rooms: string[], calls: number): Promise<string[][]> {
  const report = once(child, 'message')
  child.send({ rooms, calls, token, userId: session.userId })
  // The worker sends answers only, once it is ready.
  return (await report)[0] as string[][]
}

async function startNodes (t: Test, port: number): Promise<void> {
  const redis = new Redis(port, '127.0.0.1')
  redis.on('error', () => {})
  await skipSettling(redis)
  await redis.set(toUid(session), token)
  const registry = redisRegistry({ redis })
  registry.start({ log: silentLog, onState () {} })
  t.teardown(async () => {
    await registry.close()
    redis.disconnect()
  })
  for (let number = 1; number <= NODES; number++) {
    await registry.join({ id: `node-${number}`, wssUrl: `wss://10.0.0.${number}/ws/cobrowse/${number}` })
  }
}

t.test('gateways in eight processes on one Redis', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  await startNodes(t, server.port)
  const gateways = await startGateways(t, server.port, PROCESSES)
  const askAll = async (rooms: string[], calls = CALLS) =>
    await Promise.all(gateways.map(async (gateway) => await order(gateway, rooms, calls)))

  t.test('64 concurrent first requests for a new room – a hundred rooms in a row – name one node each', async (t) => {
    const split: string[] = []
    const chosen = new Map<string, number>()
    let refused = 0
    for (let number = 0; number < ROOMS; number++) {
      const answers = (await askAll([`room-${number}`])).flat(2)
      const nodes = new Set(answers.filter((answer) => answer.startsWith('wss:')))
      const [node = 'none'] = nodes
      if (nodes.size !== 1) split.push(`room-${number}: ${[...nodes].join(' ')}`)
      chosen.set(node, (chosen.get(node) ?? 0) + 1)
      refused += answers.filter((answer) => !answer.startsWith('wss:')).length
    }
    t.strictSame(split, [])
    // Eight busy processes share two cores, so Redis may be slower than a request timeout now and then.
    t.ok(refused < ROOMS * PROCESSES * CALLS / 100, `${refused} calls refused`)
    t.equal(chosen.size, NODES)
    const counts = [...chosen.values()]
    t.ok(Math.max(...counts) < 2 * Math.min(...counts), `rooms are spread: ${counts.join(' ')}`)
  })

  t.test('gateways – a moment later, and after Redis lost its scripts – still agree', async (t) => {
    const redis = new Redis(server.port, '127.0.0.1')
    t.teardown(() => redis.disconnect())
    const rooms = Array.from({ length: 50 }, (_value, number) => `again-${number}`)
    // Eight processes are busy, and a request that timed out says nothing about agreement.
    const askUntilAnswered = async () => await until(async () => {
      const answers = await askAll(rooms, 1)
      return answers.flat(2).every((answer) => answer.startsWith('wss:')) && answers
    }, 'an answer for every room')
    const first = await askUntilAnswered()
    await redis.script('FLUSH')
    const second = await askUntilAnswered()
    t.strictSame(second, first)
    t.equal(new Set(first.map((answers) => JSON.stringify(answers))).size, 1)
  })

  t.test('a Redis that stops answering – no request hangs, and all get an error', async (t) => {
    server.pause()
    t.teardown(() => server.resume())
    const startedAt = performance.now()
    const answers = new Set((await askAll(Array.from({ length: 8 }, (_value, number) => `paused-${number}`))).flat(2))
    t.ok(performance.now() - startedAt < 5000, '512 calls on two cores')
    t.strictSame([...answers], ['50305'], 'the token store fails first')
    server.resume()
    let last = ['']
    await until(async () => {
      last = (await askAll(['back'], 1)).flat(2)
      return last.every((answer) => answer.startsWith('wss:'))
    }, 'an answer of every gateway')
    t.equal(new Set(last).size, 1, 'all agree when Redis goes on')
  })
})

t.test('the client of @fastify/redis – serves both adapters, and is closed by its plugin', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  await startNodes(t, server.port)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(fastifyRedis, { url: server.url })
  const { redis } = app
  await app.register(cobrowse, {
    ...defaults(), sessions: redisSessions({ redis }), registry: redisRegistry({ redis })
  })
  const headers = { 'ccmessaging-token': token }
  const response = await app.inject({ method: 'POST', url: PATH, headers, payload: body })
  t.match(response.json(), { retCode: '0', data: { wssUrl: /^wss:\/\/10\.0\.0\./ } })
  await t.resolves(app.close())
})

t.test('the registry alone on an unavailable Redis – the error names the registry', { skip: withoutRedis }, async (t) => {
  const server = await startRedis(t)
  await startNodes(t, server.port)
  // With the defaults of ioredis, a command to a server that stopped answering never returns.
  const redis = new Redis(server.port, '127.0.0.1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const { app, ask } = await buildApp(t, { options: { registry: redisRegistry({ redis }) } })
  t.equal((await ask()).json().retCode, '0')
  server.pause()
  t.teardown(() => server.resume())
  for (let call = 0; call < 15; call++) {
    const startedAt = performance.now()
    t.equal((await ask({ payload: { ...body, roomId: `new-${call}` } })).json().retCode, '50302')
    t.ok(performance.now() - startedAt < 1500)
  }
  t.equal(app.cobrowse.status().registry.state, 'down')
  t.equal((await ask()).json().retCode, '0', 'a known room is answered join-only')
  t.match(app.cobrowse.status(), { ready: true, answers: 'known-rooms' }, 'a load balancer keeps the gateway')
  server.resume()
  await eventually(async () => (await ask()).json().retCode, '0')
  await eventually(() => app.cobrowse.status().registry.state, 'up')
})
