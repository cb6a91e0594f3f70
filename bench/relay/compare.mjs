// Compares the relay plugin with a bare relay on ws and with rooms of Socket.IO, in some minutes. Prints a table.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectClient } from './client.mjs'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const ROOMS = Number(process.env.ROOMS ?? 1000)
const MESSAGE_BYTES = 2048
const PER_SECOND = 10
const SECONDS = Number(process.env.SECONDS ?? 8)
const WARM_UP_S = 2
/** Clients that connect at the same time. */
const AT_ONCE = 100
/** Messages of one sender that are under way at once, when as many as possible are sent. */
const WINDOW = 4
const KINDS = { bare: 'bare relay on ws', 'socket.io': 'rooms of Socket.IO', ours: 'fastify-cobrowse/relay' }
const ROLES = ['recorder', 'replayer']

// The server on one core, the load on another: otherwise they take the time of each other.
const isPinned = cpus().length > 1 && spawnSync('taskset', ['-acp', '1', process.pid]).status === 0

const now = () => Number(process.hrtime.bigint() / 1000n) / 1000

async function startServer (kind) {
  const child = fork(new URL('server.mjs', import.meta.url), [kind], { execArgv: ['--expose-gc'] })
  if (isPinned) spawnSync('taskset', ['-acp', '0', child.pid])
  const [{ port }] = await once(child, 'message')
  let asked = 0
  async function ask (what, details = {}) {
    const id = ++asked
    child.send({ id, what, ...details })
    for (;;) {
      const [{ id: answered, answer }] = await once(child, 'message')
      if (answered === id) return answer
    }
  }
  return { kind, port, ask, end: () => child.kill() }
}

/** Both sides of each room. */
async function connectAll (server, onMessage) {
  const clients = []
  for (let first = 0; first < ROOMS; first += AT_ONCE / 2) {
    const places = Array.from({ length: Math.min(AT_ONCE / 2, ROOMS - first) }, (_, at) => ROLES.map((role) =>
      ({ port: server.port, room: `room-${first + at}`, role }))).flat()
    // A signature lives for seconds.
    const signatures = server.kind === 'ours' ? await server.ask('sign', { clients: places }) : []
    const connectOne = async (place, at) => await connectClient(server.kind, { ...place, signature: signatures[at] },
      (data) => onMessage(data, first * 2 + at))
    clients.push(...await Promise.all(places.map(connectOne)))
  }
  return clients
}

/** Each client sends its messages evenly; each message carries the time at which it was sent. */
async function sendPaced (clients, seconds) {
  const message = Buffer.alloc(MESSAGE_BYTES)
  const total = clients.length * PER_SECOND * seconds
  const startedAt = now()
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor((now() - startedAt) / 1000 * clients.length * PER_SECOND))
    for (; sent < due; sent++) {
      const data = Buffer.from(message)
      data.writeDoubleLE(now())
      clients[sent % clients.length].send(data)
    }
    await sleep(1)
  }
  return total
}

/** Messages that never arrive are counted as lost. */
async function untilReceived (areAll) {
  for (const endsAt = now() + 5000; now() < endsAt && !areAll();) await sleep(20)
}

async function measureOnce (kind) {
  const server = await startServer(kind)
  let hops = []
  let received = 0
  let isFull = false
  let clients = []
  const onMessage = (data, at) => {
    received++
    if (isFull) clients[at].send(data)
    else hops.push(now() - data.readDoubleLE())
  }
  try {
    const empty = await server.ask('memory')
    clients = await connectAll(server, onMessage)
    await sleep(500)
    const idle = await server.ask('memory')
    const warmUp = await sendPaced(clients, WARM_UP_S)
    await untilReceived(() => hops.length >= warmUp)
    hops = []
    const before = await server.ask('cpu')
    const sent = await sendPaced(clients, SECONDS)
    const after = await server.ask('cpu')
    await untilReceived(() => hops.length >= sent)
    const paced = hops.toSorted((a, b) => a - b)
    const cpuUs = (after.user + after.system - before.user - before.system) / sent
    // Each message that arrives goes back: the relay has as much to do as it can.
    isFull = true
    const recorders = clients.filter((_, at) => at % 2 === 0)
    const message = Buffer.alloc(MESSAGE_BYTES)
    for (let count = 0; count < WINDOW; count++) for (const { send } of recorders) send(message)
    await sleep(1000)
    const [from, since] = [received, now()]
    await sleep(4000)
    const rate = (received - from) / (now() - since) * 1000
    isFull = false
    return {
      lost: sent - paced.length,
      cpuUs,
      p50: paced[Math.floor(paced.length * 0.5)],
      p99: paced[Math.floor(paced.length * 0.99)],
      rate,
      bytesPerClient: (idle.used - empty.used) / clients.length
    }
  } finally {
    for (const client of clients) client.close()
    server.end()
  }
}

const COLUMNS = ['rate', 'cpuUs', 'p50', 'p99', 'bytesPerClient']

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const results = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]))
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of Object.keys(KINDS)) {
    results[kind].push(await measureOnce(kind))
    console.log(`round ${round + 1}: ${KINDS[kind]}: ${JSON.stringify(results[kind].at(-1))}`)
  }
}

const valueOf = (kind, name) => median(results[kind].map((result) => result[name]))
console.log('\n| | messages a second | × bare | CPU µs per message | × bare | p50 ms | p99 ms | KiB per idle client | over bare |')
console.log('|---|---|---|---|---|---|---|---|---|')
for (const kind of Object.keys(KINDS)) {
  const [rate, cpuUs, p50, p99, bytes] = COLUMNS.map((name) => valueOf(kind, name))
  const cells = [
    KINDS[kind], Math.round(rate), (rate / valueOf('bare', 'rate')).toFixed(2), cpuUs.toFixed(1),
    (cpuUs / valueOf('bare', 'cpuUs')).toFixed(2), p50.toFixed(2), p99.toFixed(1), (bytes / 1024).toFixed(1),
    ((bytes - valueOf('bare', 'bytesPerClient')) / 1024).toFixed(1)
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
process.exit()
