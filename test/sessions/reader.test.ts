import t from 'tap'
import { createReader } from '../../lib/sessions/reader.js'
import { connect } from '../support/redis-registry.js'
import { startRedis, withoutRedis } from '../support/redis-server.js'
import type { Redis } from 'ioredis'

/** Counts the commands of the client. */
function count (redis: Redis) {
  const counts = { get: 0, mget: 0 }
  const reader = {
    status: 'ready',
    get: async (key: string) => {
      counts.get++
      return await redis.get(key)
    },
    mget: async (...keys: string[]) => {
      counts.mget++
      return await redis.mget(...keys)
    }
  }
  return { counts, reader }
}

t.test('a reader on a real Redis', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  await redis.mset('a', '1', 'b', '2')
  await redis.hset('hash', 'field', 'x')

  t.test('several keys of one turn – are read by one command', async (t) => {
    const { counts, reader } = count(redis)
    const read = createReader(reader)
    t.strictSame(await Promise.all([read('a'), read('b'), read('missing')]), ['1', '2', null])
    t.strictSame(counts, { get: 0, mget: 1 })
    t.equal(await read('a'), '1')
    t.strictSame(counts, { get: 1, mget: 1 }, 'one key needs no list')
  })

  t.test('a key of another type – is no text, and affects no other key', async (t) => {
    const read = createReader(redis)
    t.strictSame(await Promise.all([read('a'), read('hash'), read('b')]), ['1', null, '2'])
  })

  t.test('a key that the user may not read – is refused alone, each time', async (t) => {
    await redis.call('ACL', 'SETUSER', 'some-keys', 'on', 'nopass', '+@all', '~a', '~b')
    const { counts, reader } = count(connect(t, port, { username: 'some-keys', password: 'any' }))
    const read = createReader(reader)
    for (const most of [1, 2]) {
      const [a, other, b] = await Promise.allSettled([read('a'), read('other'), read('b')])
      t.match([a, b], [{ value: '1' }, { value: '2' }])
      t.match(other, { status: 'rejected', reason: { message: /^NOPERM/ } })
      t.equal(counts.mget, most, 'the next turn is read together again')
    }
  })

  t.test('a user without the right to MGET – reads one by one from then on', async (t) => {
    await redis.call('ACL', 'SETUSER', 'get-only', 'on', 'nopass', '+get', '+info', '~*')
    const { counts, reader } = count(connect(t, port, { username: 'get-only', password: 'any' }))
    const read = createReader(reader)
    for (let turn = 0; turn < 2; turn++) t.strictSame(await Promise.all([read('a'), read('b')]), ['1', '2'])
    t.strictSame(counts, { get: 4, mget: 1 })
  })
})

t.test('a client without MGET, or a Cluster – gets one key at a time', async (t) => {
  const get = async (key: string) => key
  const mget = async () => { throw new Error('the keys of a Cluster are on several servers') }
  const cluster = { status: 'ready', get, mget, isCluster: true }
  for (const redis of [{ status: 'ready', get }, cluster]) {
    const read = createReader(redis)
    t.strictSame(await Promise.all([read('a'), read('b')]), ['a', 'b'])
  }
})

t.test('a Redis that does not answer – rejects every key of the turn', { skip: withoutRedis }, async (t) => {
  const { port } = await startRedis(t)
  const redis = connect(t, port, { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.disconnect()
  const read = createReader(redis)
  for (const { status } of await Promise.allSettled([read('a'), read('b')])) t.equal(status, 'rejected')
})
