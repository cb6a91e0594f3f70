import { Redis } from 'ioredis'
import {
  httpProvision, memoryRegistry, memorySessions, redisRegistry, redisSessions, staticProvision,
  zookeeperRegistry
} from '../lib/index.js'
import { makeToken, toUid } from '../lib/sessions/token.js'
import type { Env } from './env.js'
import type { Provision, Registry, Session, Sessions } from '../types/index.js'

const TOKEN_LIFE_SECONDS = 3600

export interface Backends {
  sessions: Sessions
  registry: Registry
  provision: Provision
  /** Makes the one live token of a user: what CC-Messaging does in a real deployment. */
  issueToken (session: Session): Promise<string>
  /** Ends the clients that the adapters were given. */
  close (): Promise<void>
}

/** The embedded default, or the real thing where the environment names it. */
export function createBackends (env: Env, publicUrl: string, onRedisError: (error: Error) => void): Backends {
  const provision = env.PROVISION_URL === undefined
    ? staticProvision(publicUrl)
    : httpProvision({ url: env.PROVISION_URL, pick: env.PROVISION_PICK })
  const inZooKeeper = env.zooKeeperHosts === undefined
    ? undefined
    : zookeeperRegistry({ hosts: env.zooKeeperHosts, auth: env.ZOOKEEPER_AUTH })
  if (env.REDIS_URL === undefined) {
    const sessions = memorySessions()
    return {
      sessions,
      registry: inZooKeeper ?? memoryRegistry(),
      provision,
      issueToken: async (session) => sessions.issue(session),
      async close () {}
    }
  }
  const redis = connectRedis(env.REDIS_URL).on('error', onRedisError)
  return {
    sessions: redisSessions({ redis, prefix: env.TOKEN_PREFIX }),
    registry: inZooKeeper ?? redisRegistry({ redis }),
    provision,
    async issueToken (session) {
      const token = makeToken(session, Date.now())
      await redis.set(env.TOKEN_PREFIX + toUid(session), token, 'EX', TOKEN_LIFE_SECONDS)
      return token
    },
    async close () {
      redis.disconnect()
    }
  }
}

// A client of our own rather than @fastify/redis, which waits at start until Redis answers. Commands fail fast while
// it is away, none is sent twice, and a server that stopped answering costs the connection.
function connectRedis (url: string): Redis {
  return new Redis(url, {
    commandTimeout: 400,
    socketTimeout: 800,
    connectTimeout: 500,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(1000, attempt * 50) * (0.5 + Math.random() / 2)
  })
}
