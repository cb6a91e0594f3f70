import { once } from 'node:events'
import { Redis } from 'ioredis'
import { startToxicProxy } from '../../lib/testing/toxic-proxy.js'
import { skipSettling } from '../support/redis-registry.js'
import { startRedis } from '../support/redis-server.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { ToxicProxy } from '../../lib/testing/toxic-proxy.js'
import type { RedisServer } from '../support/redis-server.js'

const ARGS = ['--appendonly', 'yes', '--repl-diskless-sync-delay', '0']

interface Replica {
  server: RedisServer
  /** Between the two servers. */
  link: ToxicProxy
}

/** A Redis that loses its memory, its life and its place. */
export interface Store {
  /** Where it is now. */
  readonly port: number
  /** Of all servers that run. */
  pids (): number[]
  pause (): void
  resume (): void
  flush (): Promise<void>
  kill (): Promise<void>
  restart (keepsData: boolean): Promise<void>
  /** The replica misses what is written meanwhile, then takes the place of its primary. Answers how many bytes. */
  failOver (meanwhile: () => Promise<void>): Promise<number>
}

/** Settled, with a replica. */
export async function startStore (t: Test): Promise<Store> {
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

  return {
    get port () {
      return primary.port
    },
    pids: () => [primary.pid, ...replica ? [replica.server.pid] : []],
    pause: () => primary.pause(),
    resume: () => primary.resume(),
    flush: async () => { await ask(primary, async (redis) => await redis.flushall()) },
    kill: async () => await primary.kill(),
    restart: async (keepsData) => await primary.restart({ keepsData }),
    async failOver (meanwhile) {
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
