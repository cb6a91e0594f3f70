import { connect, makeRegistry, skipSettling } from '../../support/redis-registry.js'
import { startRedis } from '../../support/redis-server.js'
import type { Test } from 'tap'
import type { Membership, RedisRegistryOptions } from '../../../types/index.js'

export const LEASES = '{cobrowse}:leases'
/** No heartbeat comes in between: `drain` sends one. */
export const RARE = { heartbeat: 20_000, lease: 60_000 }

export const nameOf = (member: Membership): string => `${member.id}|${member.incarnation}`

/** A Redis that has settled, and two registries on it: one that nodes join, one that a gateway asks. */
export async function setUpNodes (t: Test, options: Omit<RedisRegistryOptions, 'redis'> = {}) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const nodes = makeRegistry(t, connect(t, server.port), options)
  const gateway = makeRegistry(t, connect(t, server.port), options)
  return { server, redis, nodes, gateway }
}
