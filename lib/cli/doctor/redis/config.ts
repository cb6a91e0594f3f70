import type { Redis } from 'ioredis'

/** Settings that INFO does not tell. A field is left out if it is unknown: few users may run CONFIG. */
export interface RedisConfig {
  /** When snapshots are made; empty for never. */
  save?: string
  /** Seconds; 0 for no limit. */
  maxLag?: number
}

export async function readConfig (redis: Redis): Promise<RedisConfig> {
  const [save, maxLag] = await Promise.all([read(redis, 'save'), read(redis, 'min-replicas-max-lag')])
  return { ...save !== undefined && { save }, ...maxLag !== undefined && { maxLag: Number(maxLag) } }
}

async function read (redis: Redis, name: string): Promise<string | undefined> {
  try {
    // CONFIG GET answers names and values in turn.
    const [, value] = await redis.config('GET', name) as string[]
    return value
  } catch {
    return undefined
  }
}
