import { Redis } from 'ioredis'
import t from 'tap'
import { senderOf } from '../../lib/common/redis-batch.js'
import { connect } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'

t.test('commands of one turn – a real client – are answered each with its own reply or error', {
  skip: withoutRedis
}, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await redis.set('a', '1')
  await redis.hset('hash', 'field', 'x')
  const send = senderOf(redis)
  let pipelines = 0
  const { pipeline } = redis
  redis.pipeline = (...args: Parameters<typeof pipeline>) => {
    pipelines++
    return pipeline.apply(redis, args)
  }
  const [a, missing, wrong, script] = await Promise.allSettled([
    send('get', 'a'), send('get', 'b'), send('get', 'hash'), send('eval', 'return ARGV[1]', 0, 'said')
  ])
  t.match(a, { status: 'fulfilled', value: '1' })
  t.match(missing, { status: 'fulfilled', value: null })
  t.match(wrong, { status: 'rejected', reason: { message: /^WRONGTYPE/ } })
  t.match(script, { status: 'fulfilled', value: 'said' })
  t.equal(pipelines, 1)
  t.equal(senderOf(redis), send, 'all users of a client send together')
})

t.test('commands of one turn – the connection drops – are rejected, all of them', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  await until(() => redis.status === 'ready', 'the connection')
  const send = senderOf(redis)
  const asked = [send('blpop', 'nothing', 0), send('get', 'a')]
  setImmediate(() => setImmediate(() => redis.disconnect()))
  for (const { status } of await Promise.allSettled(asked)) t.equal(status, 'rejected')
  await t.rejects(send('get', 'a'), 'a client without a connection rejects at once')
})

t.test('a client without pipelines, a Cluster, or one that pipelines on its own – gets each command at once', async (t) => {
  const make = (more: object) => {
    const asked: unknown[] = []
    const pipeline = () => t.fail('the client pipelines itself')
    return { asked, client: { get: async (key: string) => asked.push(key), pipeline, ...more } }
  }
  for (const more of [{ pipeline: undefined }, { isCluster: true }, { options: { enableAutoPipelining: true } }]) {
    const { asked, client } = make(more)
    const reply = senderOf(client)('get', 'a')
    t.strictSame(asked, ['a'])
    t.equal(await reply, 1)
  }
  t.equal(typeof Redis.prototype.pipeline, 'function', 'the name that is looked for')
})
