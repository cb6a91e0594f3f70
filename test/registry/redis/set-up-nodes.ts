import { connect, makeRegistry, skipSettling } from '../../support/redis-registry.js'
import { startRedis } from '../../support/redis-server.js'
import type { Test } from 'tap'
import type { Membership, RedisRegistryOptions } from '../../../types/index.js'

export const LEASES = '{cobrowse}:leases'
/** Interval without heartbeats during a test; `drain` sends one on demand. */
export const RARE = { heartbeat: 20_000, lease: 60_000 }

export const nameOf = (member: Membership): string => `${member.id}|${member.incarnation}`

/** Starts a settled Redis with two registries: one for nodes to join, one for a gateway to ask. */
export async function setUpNodes (t: Test, options: Omit<RedisRegistryOptions, 'redis'> = {}) {
  const server = await startRedis(t)
  const redis = connect(t, server.port)
  await skipSettling(redis)
  const nodes = makeRegistry(t, connect(t, server.port), options)
  const gateway = makeRegistry(t, connect(t, server.port), options)
  return { server, redis, nodes, gateway }
}
