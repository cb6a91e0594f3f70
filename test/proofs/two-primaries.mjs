// Measures the effect of two primaries on rooms: `npm run build && node test/proofs/two-primaries.mjs`
//
// A replica is promoted while the old primary goes on. Half of the gateways and of the nodes reach one, half the other.
// The two sides of each room ask in different halves. A room is split if both are sent to different nodes by normal
// signatures that are valid at the same time.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { redisRegistry } from '../../dist/lib/index.js'

const times = { lease: 4000, heartbeat: 500, linger: 4 }
const ROOMS = 200
const SECONDS = 20

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function startRedis (folder, ...more) {
  const port = await freePort()
  const child = spawn('redis-server', [
    '--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder, '--dbfilename', `${port}.rdb`, ...more
  ], { stdio: 'ignore' })
  const redis = new Redis(port, '127.0.0.1').on('error', () => {})
  await redis.ping()
  return { port, redis, child }
}

async function measure (title, ...more) {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-bench-'))
  const here = await startRedis(folder, ...more)
  const there = await startRedis(folder, '--replicaof', `127.0.0.1 ${here.port}`, ...more)
  while (!/master_link_status:up/.test(await there.redis.info('replication'))) await sleep(50)
  await here.redis.hset('{cobrowse}:meta', 'epoch', 'an-epoch-of-22-letters')
  const clients = []
  const connect = (port) => {
    const redis = new Redis(port, '127.0.0.1').on('error', () => {})
    clients.push(redis)
    return redis
  }
  const registries = ['here', 'here', 'there', 'there'].map((side) => ({ side, redis: connect(here.port) }))
    .map(({ side, redis }) => ({ side, redis, registry: redisRegistry({ redis, ...times }) }))
  const members = await Promise.all(registries.map(async ({ registry }, at) =>
    await registry.join({ id: `n${at}`, wssUrl: `wss://10.0.0.${at}/` })))
  const gateways = [1, 2].map(() => redisRegistry({ redis: connect(here.port), ...times }))
  const log = { info () {}, warn () {}, error () {}, debug () {} }
  for (const gateway of gateways) gateway.start({ log, onState () {} })
  const claim = async (room) => {
    const { node } = await gateways[0].assign({ tenant: 't', room })
    await members.find(({ id }) => id === node.id).claim({ tenant: 't', room })
  }
  for (let at = 0; at < ROOMS; at++) await claim(`open-${at}`)

  await there.redis.call('REPLICAOF', 'NO', 'ONE')
  const moveThere = (redis) => {
    redis.options.port = there.port
    redis.disconnect(true)
  }
  for (const { side, redis } of registries) if (side === 'there') moveThere(redis)
  moveThere(clients.at(-1))

  const split = { open: new Set(), fresh: new Set() }
  const asked = { open: new Set(), fresh: new Set() }
  const startedAt = performance.now()
  for (let step = 0; performance.now() - startedAt < SECONDS * 1000; step++) {
    await Promise.all(['open', 'fresh'].map(async (kind) => {
      const room = kind === 'open' ? `open-${step % ROOMS}` : `fresh-${step}`
      const answers = await Promise.all(gateways.map(async (gateway) =>
        await gateway.assign({ tenant: 't', room }).then(({ node }) => node.id, () => undefined)))
      asked[kind].add(room)
      if (answers.every((id) => id !== undefined) && answers[0] !== answers[1]) split[kind].add(room)
    }))
    await sleep(20)
  }
  console.log(`${title}: split ${split.open.size} of ${asked.open.size} open rooms, ` +
    `${split.fresh.size} of ${asked.fresh.size} new ones, in ${SECONDS} s of two primaries`)
  for (const { registry } of registries) await registry.close()
  for (const gateway of gateways) await gateway.close()
  for (const redis of [...clients, here.redis, there.redis]) redis.disconnect()
  for (const { child } of [here, there]) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

await measure('neither refuses writes')
await measure('min-replicas-to-write 1, min-replicas-max-lag 2',
  '--min-replicas-to-write', '1', '--min-replicas-max-lag', '2', '--repl-ping-replica-period', '1')
process.exit()
