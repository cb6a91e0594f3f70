import * as nodeRedis from 'redis'
import * as nodeRedis5 from '@redis/client5'
import { Redis } from 'ioredis'
import t from 'tap'
import { fromNodeRedis } from '../../lib/redis-client/node-redis.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { eventually } from '../support/until.js'
import type { NodeRedisClient } from '../../types/index.js'

const HOST = '127.0.0.1'
const VERSIONS: Record<string, (port: number) => NodeRedisClient> = {
  'node-redis 6': (port) => nodeRedis.createClient({ socket: { port, host: HOST } }).on('error', () => {}),
  'node-redis 5': (port) => nodeRedis5.createClient({ socket: { port, host: HOST } }).on('error', () => {})
}

t.test('a client – of another package – is rejected with a sentence that says what to give', async (t) => {
  const ioredis = new Redis({ lazyConnect: true })
  for (const wrong of [undefined, null, {}, ioredis]) {
    // Wrong on purpose.
    const adapt = () => fromNodeRedis(wrong as unknown as NodeRedisClient)
    t.throws(adapt, { name: 'TypeError', message: /client of the package "redis", such as createClient/ })
  }
})

t.test('a client of node-redis – speaks as one of ioredis', { skip: withoutRedis }, async (t) => {
  for (const [name, createClient] of Object.entries(VERSIONS)) {
    t.test(name, async (t) => {
      const server = await startRedis(t)
      const client = createClient(server.port)
      const redis = fromNodeRedis(client)
      t.equal(redis.status, 'end', 'before it is connected')
      await client.connect()
      t.teardown(() => { if (client.isOpen) client.destroy() })
      t.equal(redis.status, 'ready')
      t.strictSame(await redis.eval('return {KEYS[1], ARGV[1], ARGV[2], 3, false}', 1, 'k', 'a', 5), ['k', 'a', '5', 3, null])
      t.equal(await redis.get('absent'), null)
      t.strictSame(await redis.mget('absent', 'also absent'), [null, null])
      await t.rejects(redis.evalsha('0'.repeat(40), 0), { name: 'ReplyError', message: /^NOSCRIPT/ })
      await t.rejects(redis.eval("return redis.error_reply('READONLY x')", 0), { name: 'ReplyError', message: /READONLY/ })
      await redis.eval("return redis.call('LPUSH', KEYS[1], 'x')", 1, 'list')
      await t.rejects(redis.get('list'), { name: 'ReplyError', message: /^WRONGTYPE/ })

      await server.kill()
      await eventually(() => redis.status, 'reconnecting')
      await server.restart()
      await eventually(() => redis.status, 'ready')
      redis.disconnect?.(true)
      await eventually(async () => redis.status === 'ready' && await redis.get('absent').catch(() => 'away'), null)
      client.destroy()
      t.equal(redis.status, 'end')
    })
  }
})
