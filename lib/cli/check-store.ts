import { UsageError } from './exit.js'
import { load } from './load.js'
import { firstServerOf } from '../testing/conformance/settings.js'
import type { CheckNodeOptions } from '../../types/testing.js'

/** The store of a check, as the arguments name it. */
export interface CheckStore {
  /** The server that a proxy stands in front of. */
  server: { host: string, port: number }
  /** Variables that lead the node to a proxy on this port. */
  env (proxyPort: number): NodeJS.ProcessEnv
  open (): Promise<OpenCheckStore>
}

export interface OpenCheckStore {
  options: Pick<CheckNodeOptions, 'redis' | 'zookeeper' | 'prefix'>
  close (): void
}

interface Arguments {
  redis?: string | undefined
  zookeeper?: string | undefined
  prefix?: string | undefined
}

/** @throws UsageError */
export function readCheckStore ({ redis, zookeeper, prefix }: Arguments): CheckStore {
  if (zookeeper === undefined) return onRedis(readRedisUrl(redis), prefix ?? process.env.COBROWSE_PREFIX)
  if (redis !== undefined) throw new UsageError('--redis and --zookeeper exclude each other')
  if (prefix !== undefined) throw new UsageError('--prefix is for --redis: put a path behind the hosts of --zookeeper')
  return onZooKeeper(zookeeper)
}

function readRedisUrl (text = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'): URL {
  if (!URL.canParse(text) || !/^rediss?:$/.test(new URL(text).protocol)) {
    throw new UsageError('--redis must be a URL such as redis://127.0.0.1:6379')
  }
  return new URL(text)
}

function onRedis (url: URL, prefix: string | undefined): CheckStore {
  return {
    server: { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6379) },
    env (proxyPort) {
      const ofProxy = new URL(url)
      ofProxy.hostname = '127.0.0.1'
      ofProxy.port = String(proxyPort)
      return { REDIS_URL: ofProxy.href, REDIS_PORT: String(proxyPort) }
    },
    async open () {
      const { Redis } = await load('ioredis', async () => await import('ioredis'))
      const redis = new Redis(url.href)
      redis.on('error', () => {})
      return { options: { redis, prefix }, close: () => redis.disconnect() }
    }
  }
}

function onZooKeeper (zookeeper: string): CheckStore {
  const server = firstServerOf(zookeeper)
  if (server === undefined) throw new UsageError('--zookeeper must be a list as in host:port,host:port/chroot')
  const [, path = ''] = /^[^/]*(\/.*)?$/.exec(zookeeper) ?? []
  return {
    server,
    env: (proxyPort) => ({ ZOOKEEPER: `127.0.0.1:${proxyPort}${path}`, ZOOKEEPER_PORT: String(proxyPort) }),
    open: async () => ({ options: { zookeeper }, close: () => {} })
  }
}
