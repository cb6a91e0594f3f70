import { UsageError } from './exit.js'
import { load } from './load.js'
import { redisRegistry } from '../registry/redis.js'
import { zookeeperRegistry } from '../registry/zookeeper.js'
import type { RegistryOperations } from '../../types/operations.js'
import type { Registry } from '../../types/registry.js'

/** Arguments of every verb that asks a store. */
export const STORE_OPTIONS = {
  redis: { type: 'string' },
  zookeeper: { type: 'string' },
  prefix: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' }
} as const

export const STORE_HELP = `  --redis URL          the Redis of the gateways; also REDIS_URL
  --zookeeper HOSTS    or their ZooKeeper, host:port,host:port/chroot; also ZOOKEEPER_HOSTS
  --prefix TEXT        prefix of the keys, or root of the paths; also COBROWSE_PREFIX. Default {cobrowse} or /cobrowse
  --json               prints JSON`

const EXIT_CODES = 'Exit codes: 0 done, 1 the result is negative, 2 wrong arguments, 3 the store could not be asked.\n'

/** The end of the help of every verb that asks a store. */
export const HELP_END = `${STORE_HELP}\n\n${EXIT_CODES}`

const CONNECT_MS = 3000

type Values = Partial<Record<'redis' | 'zookeeper' | 'prefix', string | undefined>>

export interface OpenStore {
  registry: Registry
  operations: RegistryOperations
  close (): Promise<void>
}

/**
 * Opens the store of a deployment. No gateway need be up.
 *
 * @throws UsageError that names the argument, or an error that names the server if it cannot be reached
 */
async function openStore (values: Values): Promise<OpenStore> {
  const { redis, zookeeper } = values
  if (redis !== undefined && zookeeper !== undefined) throw new UsageError('give --redis or --zookeeper, not both')
  const hosts = zookeeper ?? (redis === undefined ? environment('ZOOKEEPER_HOSTS') : undefined)
  const prefix = values.prefix ?? environment('COBROWSE_PREFIX')
  if (hosts !== undefined) return openZooKeeper(hosts, prefix)
  const url = redis ?? environment('REDIS_URL')
  if (url === undefined) throw new UsageError('which store? give --redis or --zookeeper, or set REDIS_URL or ZOOKEEPER_HOSTS')
  return await openRedis(url, prefix)
}

/** An empty variable is one that is not set. */
function environment (name: string): string | undefined {
  const text = process.env[name]
  return text === '' ? undefined : text
}

/** Runs the work of a verb on the store, and closes the store in any case. */
export async function withStore<T> (values: Values, work: (store: OpenStore) => Promise<T>): Promise<T> {
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

async function openRedis (text: string, prefix = '{cobrowse}'): Promise<OpenStore> {
  if (!URL.canParse(text) || !/^rediss?:$/.test(new URL(text).protocol)) {
    throw new UsageError('--redis must be a URL such as redis://127.0.0.1:6379')
  }
  const { Redis } = await load('ioredis', async () => await import('ioredis'))
  const redis = new Redis(text, {
    lazyConnect: true, connectTimeout: CONNECT_MS, maxRetriesPerRequest: 0, retryStrategy: () => null
  })
  let reason = 'it does not answer'
  redis.on('error', (error) => { reason = error.message })
  try {
    await redis.connect()
    const times = timesOf(await redis.hget(`${prefix}:meta`, 'times'))
    const registry = rejectWrongPrefix(() => redisRegistry({ redis, prefix, ...times }))
    return toOpen(registry, async () => redis.disconnect())
  } catch (cause) {
    redis.disconnect()
    if (cause instanceof UsageError) throw cause
    throw new Error(`Redis at ${new URL(text).host} cannot be asked: ${reason}`, { cause })
  }
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

function openZooKeeper (hosts: string, root?: string): OpenStore {
  const registry = rejectWrongPrefix(() => zookeeperRegistry({ hosts, root }))
  return toOpen(registry, async () => await registry.close())
}

/** The options of the registries have other names than the arguments. */
function rejectWrongPrefix (make: () => Registry): Registry {
  try {
    return make()
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/^"(?:prefix|root)" option of \w+/, '--prefix')
      .replace(/^"hosts" option of \w+/, '--zookeeper'))
  }
}

function toOpen (registry: Registry, close: () => Promise<void>): OpenStore {
  const { operations } = registry
  if (operations === undefined) throw new Error('the registry has no operations')
  return { registry, operations, close }
}
