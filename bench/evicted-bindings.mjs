// Measures for how long the binding of an open room is missing after its eviction, and the cost of claiming rooms
// again:
// `npm run build && node bench/evicted-bindings.mjs`
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { redisRegistry } from '../dist/lib/index.js'

const TRIES = 60
const COST_SECONDS = 20

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function msUntilBack (redis, key) {
  await sleep(Math.random() * 6000)
  await redis.del(key)
  const startedAt = performance.now()
  while (!await redis.exists(key)) await sleep(20)
  return Math.round(performance.now() - startedAt)
}

async function measure (count) {
  const port = await freePort()
  const child = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' })
  const redis = new Redis(port, '127.0.0.1').on('error', () => {})
  await redis.hset('{cobrowse}:meta', 'epoch', 'an-epoch-of-22-letters')
  const registry = redisRegistry({ redis })
  const member = await registry.join({ id: 'n1', wssUrl: 'wss://n1.example/' })
  for (let room = 0; room < count; room++) await member.claim({ tenant: 't', room: String(room) })
  const keys = await redis.keys('*:room:*')
  const waits = await Promise.all(Array.from({ length: TRIES }, async (_value, at) =>
    await msUntilBack(redis, keys[Math.floor(at * keys.length / TRIES)])))
  waits.sort((a, b) => a - b)
  await redis.config('RESETSTAT')
  await sleep(COST_SECONDS * 1000)
  const [, usec] = /cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await redis.info('commandstats'))
  const share = (usec / COST_SECONDS / 10_000).toFixed(1)
  const [median, longest] = [waits[TRIES / 2], waits.at(-1)]
  console.log(`${count} open rooms: back after ${median} ms (median), ${longest} ms (longest of ${TRIES}), ` +
    `for ${share} % of the time of Redis`)
  await member.leave()
  redis.disconnect()
  child.kill()
}

for (const count of [200, 10_000]) await measure(count)
