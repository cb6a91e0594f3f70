// Compares the plugin with a bare route and with the stock plugins, in about two minutes. Prints a table, and draws it
// into docs/images/how-fast.svg.
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import autocannon from 'autocannon'
import { Redis } from 'ioredis'
import { redisRegistry } from '../dist/lib/index.js'
import { drawChart } from './chart.mjs'
import { knownRooms, MODES, nextRequest, NODES, PATH, USERS } from './scenario.mjs'

const ROUNDS = 2
/** Before the first slot of a server, until its code is optimized, and before each further one. */
const FIRST_WARM_UP_S = 4
const WARM_UP_S = 1
const SLOT_S = 3
const CONNECTIONS = 64
const CHART = new URL('../docs/images/how-fast.svg', import.meta.url)

const VARIANTS = {
  bare: 'bare Fastify route',
  plugins: 'cookie + redis + jwt plugins',
  memory: 'fastify-cobrowse, in memory',
  redis: 'fastify-cobrowse, on Redis'
}
const ends = []
// The server on one core, all else on another: otherwise they take the time of each other.
const isPinned = cpus().length > 1 && spawnSync('taskset', ['-acp', '1', process.pid]).status === 0

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

/** A Redis with the tokens of all users and four nodes. */
async function startRedis () {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-bench-'))
  const child = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder], { stdio: 'ignore' })
  ends.push(() => {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  const redis = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  for (const { key, token } of USERS) await redis.set(key, token)
  // A Redis that has an epoch has settled: nodes are found at once.
  await redis.hset('{cobrowse}:meta', 'epoch', 'an-epoch-of-22-letters')
  const registry = redisRegistry({ redis })
  for (const record of NODES) await registry.join(record)
  ends.push(async () => {
    await registry.close()
    redis.disconnect()
  })
  return port
}

async function startServer (variant, redisPort) {
  const child = fork(new URL('server.mjs', import.meta.url), [variant, redisPort])
  if (isPinned) spawnSync('taskset', ['-acp', '0', child.pid])
  ends.push(() => child.kill())
  const [{ port }] = await once(child, 'message')
  const server = { child, url: `http://127.0.0.1:${port}` }
  // Until the plugin has read the nodes.
  while (!await answersAll(server)) await sleep(200)
  return server
}

/** Asks for each known room once, which binds it. */
async function answersAll ({ url }) {
  const answers = await Promise.all(knownRooms().map(async (request) =>
    await fetch(url + PATH, { method: 'POST', ...request }).then(async (response) => {
      await response.arrayBuffer()
      return response.ok
    })))
  return answers.every(Boolean)
}

async function cpuOf ({ child }) {
  child.send('cpu')
  const [{ cpu: { user, system } }] = await once(child, 'message')
  return user + system
}

/** @returns CPU time per request in µs, and latencies in ms */
async function measure (server, mode, seconds) {
  const prefix = `${process.pid}-${Math.round(performance.now())}`
  const before = await cpuOf(server)
  const { requests, latency, non2xx, errors } = await autocannon({
    url: server.url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [{ method: 'POST', path: PATH, setupRequest: (request) => ({ ...request, ...nextRequest(mode, prefix) }) }]
  })
  const forged = mode === 'mix' ? requests.total / 10 : 0
  if (errors > 0 || Math.abs(non2xx - forged) > 0.01 * requests.total) {
    throw new Error(`${errors} errors and ${non2xx} of ${requests.total} answers are not as expected`)
  }
  return { cpuUs: (await cpuOf(server) - before) / requests.total, p50: latency.p50, p99: latency.p99 }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

function summarize (slots) {
  return Object.fromEntries(['cpuUs', 'p50', 'p99'].map((name) => [name, mean(slots.map((slot) => slot[name]))]))
}

async function run () {
  const hasRedis = spawnSync('redis-server', ['--version']).status === 0
  const names = Object.keys(VARIANTS).filter((name) => hasRedis || name === 'bare' || name === 'memory')
  if (!hasRedis) console.log('redis-server is missing: only what needs none is measured')
  const redisPort = hasRedis ? await startRedis() : 0
  const slots = new Map()
  for (let round = 1; round <= ROUNDS; round++) {
    for (const variant of names) {
      const server = await startServer(variant, redisPort)
      const modes = variant === 'bare' ? ['known'] : MODES
      for (const mode of modes) {
        await measure(server, mode, mode === modes[0] ? FIRST_WARM_UP_S : WARM_UP_S)
        const key = `${variant} ${mode}`
        slots.set(key, [...slots.get(key) ?? [], await measure(server, mode, SLOT_S)])
      }
      server.child.kill()
      await once(server.child, 'exit')
    }
    console.log(`round ${round} of ${ROUNDS}`)
  }
  report(new Map([...slots].map(([key, found]) => [key, summarize(found)])))
}

function report (results) {
  const bare = results.get('bare known')
  const rows = [...results].map(([key, found]) => {
    const [variant, mode] = key.split(' ')
    return { name: VARIANTS[variant], mode, ...found, share: bare.cpuUs / found.cpuUs }
  })
  const [{ model }, { length }] = [cpus()[0], cpus()]
  const machine = `${length} × ${model.trim()}, Node.js ${process.version}, ${new Date().toISOString().slice(0, 10)}`
  console.log(`\n${machine}; mean of ${ROUNDS} rounds, ${CONNECTIONS} connections\n`)
  console.log('| | rooms | requests per CPU second | × bare | p50 ms | p99 ms |\n|---|---|---|---|---|---|')
  for (const { name, mode, cpuUs, share, p50, p99 } of rows) {
    const cells = [name, mode, Math.round(1e6 / cpuUs), share.toFixed(2), p50.toFixed(1), p99.toFixed(1)]
    console.log(`| ${cells.join(' | ')} |`)
  }
  writeFileSync(CHART, drawChart(rows, machine))
}

try {
  await run()
} finally {
  for (const end of ends.reverse()) await end()
}
