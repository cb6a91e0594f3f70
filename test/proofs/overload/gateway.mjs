// Runs one gateway with the default options in a process of its own.
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import {
  cobrowse, memoryRegistry, memorySessions, ownUserIdOnly, redisRegistry, redisSessions, staticProvision
} from '../../../dist/lib/index.js'
import { makeToken } from '../../../dist/lib/sessions/token.js'

const { REDIS_PORT, USERS, WORK_MS } = process.env
const clock = new Int32Array(new SharedArrayBuffer(4))
const session = (number) => ({ tenantId: 'tenant', channelId: 'web', userId: `user-${number}` })
const node = (number) => ({ id: `node-${number}`, wssUrl: `wss://10.0.0.${number}:8443/ws/cobrowse/${number}` })
const tokens = []
/** Milliseconds from the head of each rejected request to its answer. */
let refusals = []

const adapters = REDIS_PORT !== undefined ? await onRedis() : inMemory()
const app = Fastify({ requestTimeout: 5000 })
app.addHook('onResponse', async (_request, reply) => {
  if (reply.statusCode === 503) refusals.push(reply.elapsedTime)
})
await app.register(cobrowse, {
  ...adapters,
  provision: staticProvision('wss://relay.example'),
  signing: { keys: [{ id: 'overload', secret: 'a secret of the tests, long enough' }] },
  authorize (...args) {
    // The wait blocks the event loop, and leaves the core to others.
    if (WORK_MS > 0) Atomics.wait(clock, 0, 0, Number(WORK_MS))
    return ownUserIdOnly(...args)
  }
})
await app.listen({ port: 0, host: '127.0.0.1' })

function inMemory () {
  const sessions = memorySessions()
  for (let number = 0; number < Number(USERS); number++) tokens.push(sessions.issue(session(number)))
  return { sessions, registry: memoryRegistry({ nodes: [1, 2, 3, 4].map(node) }) }
}

async function onRedis () {
  const redis = new Redis({
    port: Number(REDIS_PORT), host: '127.0.0.1', enableOfflineQueue: false, maxRetriesPerRequest: 0
  })
  redis.on('error', () => {})
  await new Promise((resolve) => redis.once('ready', resolve))
  for (let number = 0; number < Number(USERS); number++) {
    const { tenantId, channelId, userId } = session(number)
    const token = makeToken(session(number), 1_700_000_000_000)
    tokens.push(token)
    await redis.set(`TOKENKEY:${tenantId}${channelId}${userId}`, token)
  }
  return { sessions: redisSessions({ redis, prefix: 'TOKENKEY:' }), registry: redisRegistry({ redis }) }
}

/** Reports the rejections since the last report, and the memory. */
function report () {
  const { rss } = process.memoryUsage()
  globalThis.gc?.()
  const { heapUsed } = process.memoryUsage()
  const sorted = refusals.toSorted((one, other) => one - other)
  refusals = []
  return {
    refusedP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    rssMiB: rss / 2 ** 20,
    heapMiB: heapUsed / 2 ** 20,
    limit: app.cobrowse.status().inFlightLimit
  }
}

process.on('message', () => process.send(report()))
process.once('disconnect', () => process.exit())
process.send({ port: app.server.address().port, tokens })
