import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { startToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import { session, signing as keys } from '../../support/build-app.js'
import { skipSettling } from '../../support/redis-registry.js'
import { startRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'
import type { ToxicProxy } from '../../../lib/testing/toxic-proxy.js'

export const LEASE = 2000
const times = { heartbeat: 400, lease: LEASE, linger: 3 }
const signing = { ...keys, ttl: 2, skew: 1 }

export interface Measure {
  heapUsed: number
  /** Active handles (sockets, timers, …), counted by kind. */
  handles: Record<string, number>
  inFlight: number
}

/** Process of the deployment, with its own proxy to Redis. */
export interface Part {
  readonly proxy: ToxicProxy
  tell (message: string): void
  ask<T> (message: string): Promise<T>
  measure (): Promise<Measure>
  /** Kills the process by SIGKILL, and starts it under the same name. */
  restart (): Promise<void>
}

export interface Soaked {
  redis: Redis
  gateway: Part
  url: string
  nodes: Part[]
}

/** Starts a gateway and two nodes in their own processes, on a real Redis. */
export async function startSoaked (t: Test): Promise<Soaked> {
  const server = await startRedis(t)
  const redis = new Redis(server.port, '127.0.0.1')
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  await skipSettling(redis)
  const nodes = await Promise.all(['n1', 'n2'].map(async (id) =>
    (await startPart(t, server.port, 'node.mjs', { id })).part))
  const { part: gateway, message } = await startPart(t, server.port, 'gateway.mjs', { session })
  const { port } = message as { port: number }
  return { redis, gateway, url: `http://127.0.0.1:${port}`, nodes }
}

async function startPart (t: Test, redisPort: number, script: string, more: object) {
  const proxy = await startToxicProxy({ port: redisPort })
  const config = JSON.stringify({ redisPort: proxy.port, times, signing, ...more })
  const path = fileURLToPath(new URL(script, import.meta.url))
  let child: ChildProcess
  t.teardown(async () => {
    child.kill('SIGKILL')
    await proxy.close()
  })

  async function start (): Promise<unknown> {
    // The loader of the tests is left out, since it would be measured as well.
    child = fork(path, [config], { execArgv: ['--expose-gc'] })
    return (await once(child, 'message'))[0]
  }

  async function ask<T> (question: string): Promise<T> {
    const answer = once(child, 'message')
    child.send(question)
    // Each script answers a question with one message, and sends no others.
    return (await answer)[0] as T
  }

  const message = await start()
  const part: Part = {
    proxy,
    tell: (order) => { child.send(order) },
    ask,
    measure: async () => await ask('measure'),
    async restart () {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      await start()
    }
  }
  return { part, message }
}

/** Keys of Redis, with the lifetime of each, or the size of permanent ones. */
export async function keysOf (redis: Redis) {
  const staying: Record<string, number> = {}
  let longest = 0
  let ending = 0
  for (const key of await redis.keys('*')) {
    const ms = await redis.pttl(key)
    if (ms >= 0) {
      ending++
      longest = Math.max(longest, ms)
    } else if (ms === -1) staying[key] = await sizeOf(redis, key)
  }
  return { staying, ending, longest }
}

async function sizeOf (redis: Redis, key: string): Promise<number> {
  const sizes: Record<string, () => Promise<number>> = {
    hash: async () => await redis.hlen(key),
    zset: async () => await redis.zcard(key),
    set: async () => await redis.scard(key),
    list: async () => await redis.llen(key),
    stream: async () => await redis.xlen(key)
  }
  return await sizes[await redis.type(key)]?.() ?? 1
}

/** Waits until both nodes are in the store. */
export async function bothAreThere (redis: Redis): Promise<void> {
  await until(async () => await redis.zcount('{cobrowse}:leases', Date.now(), '+inf') === 2, 'two live nodes')
}
