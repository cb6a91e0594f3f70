import { createBatch } from '../common/batch.js'
import { systemClock } from '../common/clock.js'
import type { RedisReader } from '../../types/sessions.js'

/** As many as rooms in one call: what is read together is assigned together. */
const MOST_KEYS = 32

type Read = (key: string) => Promise<string | null>

/** Reads the texts of one turn of the event loop by one command, if the client and the user's rights allow that. */
export function createReader (redis: RedisReader): Read {
  const readOne: Read = async (key) => await redis.get(key)
  if (!canReadMany(redis)) return readOne
  let isRefused = false

  return createBatch({
    clock: systemClock,
    most: MOST_KEYS,
    async run (keys) {
      if (isRefused || keys.length === 1) return keys.map(readOne)
      try {
        return await redis.mget(...keys)
      } catch (error) {
        if (!isRefusal(error)) throw error
        // A forger of tokens chooses the key, and must not spoil the command for the others.
        isRefused = /\bmget\b/i.test(error.message)
        return keys.map(readOne)
      }
    }
  })
}

/** The keys of a Cluster are on several servers. */
function canReadMany (redis: RedisReader): redis is Required<RedisReader> {
  return typeof redis.mget === 'function' && (redis as { isCluster?: unknown }).isCluster !== true
}

/** The user may not run the command, or may not read one of the keys. */
function isRefusal (error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('NOPERM')
}
