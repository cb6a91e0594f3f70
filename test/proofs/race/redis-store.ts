import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import { skipSettling } from '../../support/redis-registry.js'
import { startRedis } from '../../support/redis-server.js'
import { until } from '../../support/until.js'
import type { Test } from 'tap'
import type { ToxicProxy } from '../../../lib/testing/toxic-proxy.js'
import type { RedisServer } from '../../support/redis-server.js'
import type { Store } from './store.js'

const ARGS = ['--appendonly', 'yes', '--repl-diskless-sync-delay', '0']

interface Replica {
  server: RedisServer
  /** Proxy between the two servers. */
  link: ToxicProxy
}

/** Starts a settled Redis with a replica; its faults are lost memory, kills and fail-overs. */
export async function startRedisStore (t: Test): Promise<Store> {
  let primary = await startRedis(t, ...ARGS)
  let replica: Replica | undefined = await startReplica()
  await ask(primary, skipSettling)

  async function startReplica (): Promise<Replica> {
    const link = await startToxicProxy({ port: primary.port })
    t.teardown(() => link.close())
    const server = await startRedis(t, ...ARGS)
    await ask(server, async (redis) => await redis.replicaof('127.0.0.1', link.port))
    await until(async () => await ask(server, isLinked), 'the first synchronization of the replica')
    return { server, link }
  }

  /** Makes the replica miss the latest writes, then promotes it. Returns the number of missed bytes. */
  async function failOver (meanwhile: () => Promise<void>): Promise<number> {
    const { server, link } = replica ?? await startReplica()
    await until(async () => await ask(server, isLinked), 'the synchronization of the replica')
    link.set('hang')
    await meanwhile()
    const written = await ask(primary, offset)
    await primary.kill()
    const missed = written - await ask(server, offset)
    await ask(server, async (redis) => await redis.replicaof('NO', 'ONE'))
    primary = server
    replica = undefined
    return missed
  }

  return {
    kind: 'redis',
    ports: () => [primary.port],
    pids: () => [primary.pid, ...replica ? [replica.server.pid] : []],
    observe: () => () => {},
    faults ({ short, long, random, killNode, onServers, onMove }) {
      async function stop (ms: number): Promise<void> {
        primary.pause()
        await sleep(ms)
        primary.resume()
      }

      async function kill (keepsData: boolean): Promise<void> {
        await primary.kill()
        await sleep(random.between(50, 500))
        await primary.restart({ keepsData })
        onServers()
      }

      return {
        'store-flush': async () => { await ask(primary, async (redis) => await redis.flushall()) },
        'store-kill-empty': async () => await kill(false),
        'store-kill-kept': async () => await kill(true),
        'store-stop-short': async () => await stop(short),
        'store-stop-long': async () => await stop(long),
        'store-fail-over': async () => {
          const missed = await failOver(async () => {
            // The loss of a registration is worse than that of a room.
            if (random.next() < 0.5) await killNode()
            await sleep(random.between(500, 2000))
          })
          onServers()
          onMove()
          return { missed }
        }
      }
    }
  }
}

async function ask<T> ({ port }: RedisServer, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await question(redis)
  } finally {
    if (redis.status !== 'end') {
      redis.disconnect()
      await once(redis, 'end')
    }
  }
}

const isLinked = async (redis: Redis) => (await redis.info('replication')).includes('master_link_status:up')

async function offset (redis: Redis): Promise<number> {
  const info = await redis.info('replication')
  return Number(/(?:slave_repl_offset|master_repl_offset):(\d+)/.exec(info)?.[1])
}
