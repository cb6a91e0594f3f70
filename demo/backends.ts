import { Redis } from 'ioredis'
import {
  httpProvision, memoryRegistry, memorySessions, redisRegistry, redisSessions, staticProvision
} from '../lib/index.js'
import { systemClock } from '../lib/common/clock.js'
import { createZooKeeperRegistry } from '../lib/registry/zookeeper.js'
import { createZooKeeperClient } from '../lib/zookeeper-client/client.js'
import { makeToken, toUid } from '../lib/sessions/token.js'
import { REDIS_SETTINGS } from './redis-settings.js'
import type { MortalClient } from '../lib/zookeeper-client/client.js'
import type { Env } from './env.js'
import type { Provision, Registry, Session, Sessions } from '../types/index.js'

const TOKEN_LIFE_SECONDS = 3600
/**
 * The shortest session that a server grants with its default `tickTime`: viewers of the demo wait for it when a node
 * ends.
 */
const ZOOKEEPER_SESSION_MS = 4000

/** The registry of one relay node: on a connection of its own, like that of a separate process. */
export interface NodeRegistry {
  registry: Registry
  /** Drops the connection without notice, like the end of a process: the lease has to expire. */
  cut (): void
  close (): Promise<void>
}

export interface Backends {
  sessions: Sessions
  registry: Registry
  provision: Provision
  registryName: 'memory' | 'redis' | 'zookeeper'
  /** Makes the one live token of a user, as CC-Messaging does in production. */
  issueToken (session: Session): Promise<string>
  openNodeRegistry (): NodeRegistry
  /** Ends the clients that the adapters were given. */
  close (): Promise<void>
}

/** The embedded default, or the real backend if the environment names one. */
export function createBackends (env: Env, publicUrl: string, onRedisError: (error: Error) => void): Backends {
  const { REDIS_URL: url } = env
  const provision = env.PROVISION_URL === undefined
    ? staticProvision(publicUrl)
    : httpProvision({ url: env.PROVISION_URL, pick: env.PROVISION_PICK })
  if (url === undefined) {
    const sessions = memorySessions()
    return {
      sessions,
      provision,
      ...env.zooKeeperHosts === undefined ? createInMemory() : createInZooKeeper(env),
      issueToken: async (session) => sessions.issue(session),
      async close () {}
    }
  }
  const connect = () => connectRedis(url).on('error', onRedisError)
  const redis = connect()
  return {
    sessions: redisSessions({ redis, prefix: env.TOKEN_PREFIX }),
    provision,
    ...env.zooKeeperHosts === undefined ? createInRedis(redis, connect) : createInZooKeeper(env),
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

type InStore = Pick<Backends, 'registry' | 'registryName' | 'openNodeRegistry'>

function createInMemory (): InStore {
  const registry = memoryRegistry()
  // State in memory needs no lease: the end of a node is known at once.
  return { registry, registryName: 'memory', openNodeRegistry: () => ({ registry, cut () {}, async close () {} }) }
}

function createInRedis (redis: Redis, connect: () => Redis): InStore {
  return {
    registry: redisRegistry({ redis }),
    registryName: 'redis',
    openNodeRegistry () {
      const own = connect()
      const registry = redisRegistry({ redis: own })
      return {
        registry,
        cut: () => own.disconnect(),
        async close () {
          await registry.close()
          own.disconnect()
        }
      }
    }
  }
}

function createInZooKeeper ({ zooKeeperHosts: hosts = '', ZOOKEEPER_AUTH: auth }: Env): InStore {
  const options = { hosts, auth, sessionTimeout: ZOOKEEPER_SESSION_MS }
  return {
    registry: createZooKeeperRegistry(options, systemClock),
    registryName: 'zookeeper',
    openNodeRegistry () {
      let client: MortalClient | undefined
      const registry = createZooKeeperRegistry(options, systemClock, (given) => {
        client = createZooKeeperClient(given)
        return client
      })
      return { registry, cut: () => client?.abandon(), close: registry.close }
    }
  }
}

// A client of our own rather than @fastify/redis, which waits at start until Redis answers.
function connectRedis (url: string): Redis {
  return new Redis(url, { ...REDIS_SETTINGS, commandTimeout: 400, enableAutoPipelining: true })
}
