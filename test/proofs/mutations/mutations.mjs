import { OF_CLIENT } from './of-client.mjs'
import { OF_ISOLATION } from './of-isolation.mjs'
import { OF_NODES } from './of-nodes.mjs'
import { OF_REDIS } from './of-redis.mjs'
import { OF_ZOOKEEPER } from './of-zookeeper.mjs'

/**
 * Each `find` matches exactly once in its file.
 *
 * @type {import('./try-out.js').Mutation[]}
 */
export const MUTATIONS = [...OF_REDIS, ...OF_NODES, ...OF_ZOOKEEPER, ...OF_CLIENT, ...OF_ISOLATION]
