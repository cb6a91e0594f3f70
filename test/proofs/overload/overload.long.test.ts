/*
 * Measures a gateway with the default options under more load than it can take. The gateway has a core of its own, and
 * the figures are meaningful only if nothing else uses that core. With WORK_MS=4 each request blocks the event loop for
 * 4 ms without using the core: a busy machine then shows the effect of the limit, though not the cost of a rejection.
 */
import { execFileSync, fork } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { redisRegistry } from '../../../lib/index.js'
import { PATH } from '../../support/build-app.js'
import { elapse } from '../../support/elapse.js'
import { startRedis, withoutRedis } from '../../support/redis-server.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

/** Cores: one for the gateway, the other for the load and Redis. */
const GATEWAY_CORE = 0
const LOAD_CORE = 1
const USERS = 200
const ROOMS = 1000
const CONNECTIONS = 1000
const SECONDS = 5
/** The limit takes half a second to tell an overload from a burst. */
const WARM_UP_SECONDS = 1
/** Number of measurements; on a busy machine the best of several shows the gateway's capacity. */
const ROUNDS = 3

interface Load {
  connections: number
  seconds: number
  warmUp?: number
  /** Requests per second; without it each connection asks as soon as it is answered. */
  rate?: number
}

interface Figures {
  offered: number
  unsent: number
  answered: number
  codes: Record<string, number>
  p50Ms: number
  p99Ms: number
  server: { refusedP99Ms: number, rssMiB: number, heapMiB: number, limit: number }
}

for (const store of ['memory', 'redis']) {
  t.test(`a gateway on ${store} – offered twice and five times its capacity – answers as much as before`, {
    skip: store === 'redis' && withoutRedis, timeout: 600_000
  }, async (t) => {
    const measure = await startGateway(t, store === 'redis' ? await startRegistry(t) : undefined)
    await measure({ connections: 64, seconds: 3 })
    for (const times of [2, 5]) {
      let best = await overload(t, measure, times)
      for (let round = 1; round < ROUNDS && best.share < 0.9; round++) {
        const next = await overload(t, measure, times)
        if (next.share > best.share) best = next
      }
      const { share, refusedP99Ms, heapGrowthMiB, codes, codesAfter } = best
      t.ok(share >= 0.9, `${times} ×: ${Math.round(share * 100)} % of the capacity are answered`)
      t.ok(refusedP99Ms <= 20, `${times} ×: rejections take ${refusedP99Ms.toFixed(1)} ms (p99)`)
      t.ok(heapGrowthMiB < 32, `${times} ×: the heap grows by ${heapGrowthMiB.toFixed(1)} MiB`)
      t.strictSame(Object.keys(codes).filter((code) => code !== '50306'), [], `${times} ×: no dependency is blamed`)
      t.strictSame(codesAfter, {}, `a second after ${times} ×: nothing is rejected`)
    }
  })
}

async function overload (t: Test, measure: (load: Load) => Promise<Figures>, times: number) {
  const before = await measure({ connections: 64, seconds: SECONDS })
  const during = await measure({
    connections: CONNECTIONS, seconds: SECONDS, warmUp: WARM_UP_SECONDS, rate: before.answered * times
  })
  await elapse(1000, 'the second in which the overload ends')
  const after = await measure({ connections: CONNECTIONS, seconds: 2, rate: before.answered / 3 })
  const again = await measure({ connections: 64, seconds: SECONDS })
  const share = during.answered / ((before.answered + again.answered) / 2)
  for (const [what, figures] of Object.entries({ before, [`${times} ×`]: during, after, again })) {
    t.comment(`${what}: ${toText(figures)}`)
  }
  t.comment(`${times} ×: ${Math.round(share * 100)} % of the capacity`)
  const { refusedP99Ms, heapMiB } = during.server
  return {
    share, refusedP99Ms, heapGrowthMiB: heapMiB - before.server.heapMiB, codes: during.codes, codesAfter: after.codes
  }
}

function toText ({ offered, unsent, answered, codes, p50Ms, p99Ms, server }: Figures): string {
  const { refusedP99Ms, rssMiB, heapMiB, limit } = server
  return `offered ${offered}/s, ${unsent}/s of them not sent, answered ${answered}/s in ${p50Ms?.toFixed(1)} ms, ` +
    `p99 ${p99Ms?.toFixed(1)} ms, refused ${JSON.stringify(codes)} in p99 ${refusedP99Ms.toFixed(1)} ms, ` +
    `RSS ${rssMiB.toFixed(0)} MiB, heap ${heapMiB.toFixed(1)} MiB, limit ${limit}`
}

async function startGateway (t: Test, redisPort?: number): Promise<(load: Load) => Promise<Figures>> {
  const gateway = start(t, 'gateway.mjs', GATEWAY_CORE, {
    USERS: String(USERS), ...redisPort !== undefined && { REDIS_PORT: String(redisPort) }
  })
  const { port, tokens } = await nextMessage<{ port: number, tokens: string[] }>(gateway)
  const requests = Array.from({ length: ROOMS }, (_value, number) => requestOf(tokens[number % USERS] ?? '', number))
  return async (load) => {
    const generator = start(t, 'load.mjs', LOAD_CORE)
    generator.send({ port, requests, ...load })
    const figures = await nextMessage<Omit<Figures, 'server'>>(generator)
    gateway.send('report')
    return { ...figures, server: await nextMessage<Figures['server']>(gateway) }
  }
}

/** Registers nodes in a real Redis with a known epoch, since a new one would settle first. */
async function startRegistry (t: Test): Promise<number> {
  const { port, pid } = await startRedis(t)
  pin(pid, LOAD_CORE)
  const redis = new Redis({ port, host: '127.0.0.1' }).on('error', () => {})
  await redis.hset('{cobrowse}:meta', 'epoch', 'an-epoch-of-22-letters')
  const registry = redisRegistry({ redis })
  t.teardown(async () => {
    await registry.close()
    redis.disconnect()
  })
  for (const number of [1, 2, 3, 4]) {
    await registry.join({ id: `node-${number}`, wssUrl: `wss://10.0.0.${number}:8443/ws/cobrowse/${number}` })
  }
  return port
}

function start (t: Test, file: string, core: number, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { NODE_OPTIONS, ...inherited } = process.env
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { ...inherited, ...env }, execArgv: ['--expose-gc']
  })
  t.teardown(() => child.kill('SIGKILL'))
  pin(Number(child.pid), core)
  return child
}

/** Pins a process to a core. On a machine with one core, the load takes time from the gateway. */
function pin (pid: number, core: number): void {
  if (cpus().length < 2 || process.platform !== 'linux') return
  execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' })
}

async function nextMessage<T> (child: ChildProcess): Promise<T> {
  return await new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the process ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message as T)
    })
  })
}

function requestOf (token: string, number: number): string {
  const body = JSON.stringify({
    roomId: `room-${number}`, userId: `user-${number % USERS}`, userName: 'Li Na', role: 'recorder'
  })
  return [
    `POST ${PATH} HTTP/1.1`, 'Host: gateway.example', 'Content-Type: application/json; charset=utf-8',
    `Cookie: ccmessaging-token=${token}`, `Content-Length: ${Buffer.byteLength(body)}`, '', body
  ].join('\r\n')
}
