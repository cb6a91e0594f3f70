import type { NodeRedisClient, RedisClient } from '../../types/redis-client.js'

/**
 * Adapts a client of node-redis (the package `redis`, version 5 or 6) for `redisRegistry` and `redisSessions`: a plain
 * client, or one of a Cluster or of Sentinel. The client stays yours: connect it, listen to its errors, and close it.
 *
 * @throws TypeError if it is not such a client
 */
export function fromNodeRedis (client: NodeRedisClient): RedisClient {
  if (typeof client?.evalSha !== 'function' || typeof client.mGet !== 'function') {
    throw new TypeError('fromNodeRedis takes a client of the package "redis", such as createClient({ url })')
  }
  const isCluster = 'slots' in client
  const adapted: RedisClient & { isCluster: boolean } = {
    isCluster,
    get status () { return statusOf(client) },
    eval: async (script, count, ...given) => await answerOf(client.eval(script, split(count, given))),
    evalsha: async (sha1, count, ...given) => await answerOf(client.evalSha(sha1, split(count, given))),
    get: async (key) => await answerOf(client.get(key)) as string | null,
    mget: async (...keys) => await answerOf(client.mGet(keys)) as Array<string | null>
  }
  // Clients of a Cluster and of Sentinel find the primary on their own.
  if (!isCluster && !('getMasterNode' in client)) adapted.disconnect = () => reconnect(client)
  return adapted
}

/** In the words of ioredis. Until the first connection, commands wait for it. */
const wereReady = new WeakSet<NodeRedisClient>()

function statusOf (client: NodeRedisClient): string {
  if (!client.isOpen) return 'end'
  // Version 5 does not say whether a Cluster is ready.
  if (client.isReady === false) return wereReady.has(client) ? 'reconnecting' : 'connecting'
  wereReady.add(client)
  return 'ready'
}

function reconnect (client: NodeRedisClient): void {
  client.destroy()
  // The client reports the failure to its listeners as well.
  client.connect().catch(() => {})
}

function split (count: number, given: Array<string | number>): { keys: string[], arguments: string[] } {
  return { keys: given.slice(0, count).map(String), arguments: given.slice(count).map(String) }
}

/** The classes of the errors that a server answered with. */
const ANSWERS = new Set(['ErrorReply', 'SimpleError', 'BlobError'])

/** An error that the server answered with, under the name that ioredis gives to such errors. */
class ReplyError extends Error {
  override name = 'ReplyError'
}

async function answerOf (answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Error && ANSWERS.has(error.constructor.name)) throw new ReplyError(error.message)
    throw error
  }
}
