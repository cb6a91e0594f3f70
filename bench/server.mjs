// One gateway, in a process of its own: bare | plugins | memory | redis. Tells its parent the port, and the CPU time
// whenever asked.
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import cobrowse, {
  memoryRegistry, memorySessions, ownUserIdOnly, redisRegistry, redisSessions, staticProvision
} from '../dist/lib/index.js'
import { ENTRY, KEY, NODES, PATH, PREFIX, USERS } from './scenario.mjs'

const [variant, port] = process.argv.slice(2)
const app = Fastify()
const text = { type: 'string' }
const schema = {
  body: {
    type: 'object',
    required: ['roomId', 'userId', 'userName', 'role'],
    properties: { roomId: text, userId: text, userName: text, role: { enum: ['recorder', 'replayer'] } }
  },
  response: {
    200: {
      type: 'object',
      properties: {
        retCode: text,
        data: { type: 'object', properties: { roomId: text, wssUrl: text, wssUrlOut: text, signature: text } }
      }
    }
  }
}

const VARIANTS = {
  /** One route with the same schema, which always answers the same. */
  bare () {
    const [{ wssUrl }] = NODES
    const data = { roomId: 'known-1', wssUrl, wssUrlOut: `wss://${ENTRY}/ws/cobrowse/0`, signature: 'x'.repeat(430) }
    app.post(PATH, { schema }, (_request, reply) => { reply.send({ retCode: '0', data }) })
  },

  /** The same job by the plugins that everybody knows: no liveness of nodes, no time limits, one key per room. */
  async plugins () {
    const urls = new Map(NODES.map(({ id, wssUrl }, at) => [id, { wssUrl, wssUrlOut: `wss://${ENTRY}/ws/cobrowse/${at}` }]))
    await app.register((await import('@fastify/cookie')).default)
    await app.register((await import('@fastify/redis')).default, { host: '127.0.0.1', port: Number(port) })
    await app.register((await import('@fastify/jwt')).default, { secret: KEY.secret, sign: { expiresIn: 15 } })
    app.post(PATH, { schema }, async (request, reply) => {
      const { roomId, userId, userName, role } = request.body
      const token = request.cookies['ccmessaging-token']
      const { tenantId, channelId, userId: owner } = JSON.parse(Buffer.from(token, 'base64'))
      const live = await app.redis.get(PREFIX + tenantId + channelId + owner)
      if (live === null || decodeURIComponent(live) !== token || owner !== userId) {
        return await reply.code(401).send({ retCode: '40102' })
      }
      const key = `room:${tenantId}:${roomId}`
      let node = await app.redis.get(key)
      if (node === null) {
        const { id } = NODES[Math.floor(Math.random() * NODES.length)]
        node = await app.redis.set(key, id, 'EX', 3600, 'NX') === 'OK' ? id : await app.redis.get(key)
      }
      const signature = app.jwt.sign({ aud: node, tenant: tenantId, room: roomId, sub: userId, name: userName, role })
      return { retCode: '0', data: { roomId, ...urls.get(node), signature } }
    })
  },

  async memory () {
    const sessions = memorySessions()
    const { now } = Date
    // The date is part of a token.
    Date.now = () => 1_764_201_600_000
    for (const { session } of USERS) sessions.issue(session)
    Date.now = now
    await registerOurs(sessions, memoryRegistry({ nodes: NODES }))
  },

  async redis () {
    const redis = new Redis({ host: '127.0.0.1', port: Number(port), enableOfflineQueue: false, maxRetriesPerRequest: 0 })
    redis.on('error', () => {})
    await new Promise((resolve) => redis.once('ready', resolve))
    await registerOurs(redisSessions({ redis, prefix: PREFIX }), redisRegistry({ redis }))
  }
}

async function registerOurs (sessions, registry) {
  await app.register(cobrowse, {
    sessions, registry, provision: staticProvision(ENTRY), signing: { keys: [KEY] }, authorize: ownUserIdOnly
  })
}

await VARIANTS[variant]()
await app.listen({ port: 0, host: '127.0.0.1' })
process.on('message', () => process.send({ cpu: process.cpuUsage(), at: performance.now() }))
process.on('disconnect', () => process.exit(0))
process.send({ port: app.server.address().port })
