import type { RedisOptions } from 'ioredis'

/**
 * A command is sent again once after its connection dropped, and waits for the next connection in the client's queue:
 * the adapters' own deadlines bound that wait. A server that stopped answering loses the connection, and one that is
 * back is found within a second.
 */
export const REDIS_SETTINGS = {
  maxRetriesPerRequest: 1,
  connectTimeout: 500,
  socketTimeout: 1000,
  retryStrategy: (attempt) => Math.min(1000, attempt ** 2 * 10) * (0.5 + Math.random() / 2)
} satisfies RedisOptions
