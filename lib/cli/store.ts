import { UsageError } from './exit.js'
import { load } from './load.js'
import { redisRegistry } from '../registry/redis.js'
import { zookeeperRegistry } from '../registry/zookeeper.js'
import type { Redis } from 'ioredis'
import type { RegistryOperations } from '../../types/operations.js'
import type { Registry } from '../../types/registry.js'

/** Arguments of every verb that asks a store. */
export const STORE_OPTIONS = {
  redis: { type: 'string' },
  zookeeper: { type: 'string' },
  prefix: { type: 'string' },
  json: { type: 'boolean' }
} as const

export const STORE_HELP = `  --redis URL          the Redis of the gateways; also REDIS_URL
  --zookeeper HOSTS    or their ZooKeeper, host:port,host:port/chroot; also ZOOKEEPER_HOSTS
  --prefix TEXT        prefix of the keys, or root of the paths; also COBROWSE_PREFIX. Default {cobrowse} or /cobrowse
                       ZOOKEEPER_AUTH holds the credentials of ZooKeeper, user:password
  --json               prints JSON`

const EXIT_CODES = 'Exit codes: 0 done, 1 the result is negative, 2 wrong arguments, 3 the store could not be asked.\n'

/** The end of the help of every verb that asks a store. */
export const HELP_END = `${STORE_HELP}\n\n${EXIT_CODES}`

const CONNECT_MS = 3000
const DISCONNECT_MS = 200

export type StoreValues = Partial<Record<'redis' | 'zookeeper' | 'prefix', string | undefined>>

export interface RedisAddress {
  kind: 'redis'
  url: URL
  prefix: string
}

export interface ZooKeeperAddress {
  kind: 'zookeeper'
  hosts: string
  root: string
  /** `user:password` */
  auth: string | undefined
}

export type StoreAddress = RedisAddress | ZooKeeperAddress

export interface OpenStore {
  registry: Registry
  operations: RegistryOperations
  close (): Promise<void>
}

/**
 * Finds the store of a deployment in arguments and environment.
 *
 * @returns undefined if none is given
 * @throws UsageError that names the argument
 */
export function findStore (values: StoreValues): StoreAddress | undefined {
  const { redis, zookeeper, prefix = environment('COBROWSE_PREFIX') } = values
  if (redis !== undefined && zookeeper !== undefined) throw new UsageError('give --redis or --zookeeper, not both')
  const hosts = zookeeper ?? (redis === undefined ? environment('ZOOKEEPER_HOSTS') : undefined)
  if (hosts !== undefined) {
    return { kind: 'zookeeper', hosts, root: prefix ?? '/cobrowse', auth: environment('ZOOKEEPER_AUTH') }
  }
  const text = redis ?? environment('REDIS_URL')
  if (text === undefined) return undefined
  if (!URL.canParse(text) || !/^rediss?:$/.test(new URL(text).protocol)) {
    throw new UsageError('--redis must be a URL such as redis://127.0.0.1:6379')
  }
  return { kind: 'redis', url: new URL(text), prefix: prefix ?? '{cobrowse}' }
}

/**
 * Opens the store of a deployment. No gateway need be up.
 *
 * @throws UsageError that names the argument, or an error that names the server if it cannot be reached
 */
async function openStore (values: StoreValues): Promise<OpenStore> {
  const found = findStore(values)
  if (found === undefined) {
    throw new UsageError('which store? give --redis or --zookeeper, or set REDIS_URL or ZOOKEEPER_HOSTS')
  }
  return found.kind === 'redis' ? await openRedis(found) : openZooKeeper(found)
}

/** An empty variable is one that is not set. */
export function environment (name: string): string | undefined {
  const text = process.env[name]
  return text === '' ? undefined : text
}

/** Runs the work of a verb on the store, and closes the store in any case. */
export async function withStore<T> (values: StoreValues, work: (store: OpenStore) => Promise<T>): Promise<T> {
  const store = await openStore(values)
  try {
    return await work(store)
  } catch (error) {
    // The registry says what cannot be done, its cause says why.
    const { cause, message } = error as Error
    if (error instanceof UsageError || !(cause instanceof Error)) throw error
    throw new Error(`${message}: ${cause.message}`, { cause })
  } finally {
    await store.close()
  }
}

async function openRedis (address: RedisAddress): Promise<OpenStore> {
  const redis = await connectRedis(address)
  try {
    const registry = await redisRegistryOn(redis, address)
    return toOpen(registry, async () => redis.disconnect())
  } catch (cause) {
    redis.disconnect()
    if (cause instanceof UsageError) throw cause
    throw cannotBeAsked(address, (cause as Error).message, cause)
  }
}

/**
 * Connects once: a command to a server that does not answer fails after some seconds.
 *
 * @throws Error that names the server
 */
export async function connectRedis (address: RedisAddress): Promise<Redis> {
  const { Redis } = await load('ioredis', async () => await import('ioredis'))
  const redis = new Redis(address.url.href, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: CONNECT_MS,
    disconnectTimeout: DISCONNECT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null
  })
  let reason = 'it does not answer'
  redis.on('error', (error) => { reason = error.message })
  try {
    await redis.connect()
    return redis
  } catch (cause) {
    redis.disconnect()
    throw cannotBeAsked(address, reason, cause)
  }
}

function cannotBeAsked ({ url }: RedisAddress, reason: string, cause: unknown): Error {
  return new Error(`Redis at ${url.host} cannot be asked: ${reason}`, { cause })
}

/** Makes a registry that changes no times. @throws UsageError for a wrong prefix */
export async function redisRegistryOn (redis: Redis, { prefix }: RedisAddress): Promise<Registry> {
  const times = timesOf(await redis.hget(`${prefix}:meta`, 'times'))
  return rejectWrongPrefix(() => redisRegistry({ redis, prefix, ...times }))
}

/** The times in force, since longer ones would be in force for all processes from then on. */
function timesOf (text: string | null): Times | undefined {
  const [, lease, heartbeat, linger] = /^(\d+) (\d+) (\d+)$/.exec(text ?? '') ?? []
  if (linger === undefined) return undefined
  return { lease: Number(lease), heartbeat: Number(heartbeat), linger: Math.max(1, Math.floor(Number(linger) / 1000)) }
}

interface Times {
  lease: number
  heartbeat: number
  linger: number
}

/** @throws UsageError for wrong hosts or a wrong root */
export function openZooKeeper ({ hosts, root, auth }: ZooKeeperAddress): OpenStore {
  const registry = rejectWrongPrefix(() => zookeeperRegistry({ hosts, root, auth }))
  return toOpen(registry, async () => await registry.close())
}

/** The options of the registries have other names than the arguments. */
function rejectWrongPrefix (make: () => Registry): Registry {
  try {
    return make()
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/^"(?:prefix|root)" option of \w+/, '--prefix')
      .replace(/^"hosts"(?: option of \w+)?/, '--zookeeper').replace(/^"auth" option of \w+/, 'ZOOKEEPER_AUTH'))
  }
}

function toOpen (registry: Registry, close: () => Promise<void>): OpenStore {
  const { operations } = registry
  if (operations === undefined) throw new Error('the registry has no operations')
  return { registry, operations, close }
}
