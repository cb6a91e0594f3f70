import { DeadlineError } from '../../lib/common/deadline.js'
import { zookeeperRegistry } from '../../lib/registry/zookeeper.js'
import type { Test } from 'tap'
import type { Registry, ZooKeeperRegistryOptions } from '../../types/index.js'

/** Sessions that a busy machine can keep. */
export const FAST = { sessionTimeout: 2000, linger: 1 }
/** Time after which a binding of such a registry has certainly been swept away. */
export const GONE_AFTER_MS = 3000

let lastRoot = 0
export const newRoot = () => `/test-${++lastRoot}`

export function makeRegistry (t: Test, hosts: string, options: Omit<ZooKeeperRegistryOptions, 'hosts'> = {}): Registry {
  const registry = zookeeperRegistry({ hosts, ...FAST, ...options })
  t.teardown(async () => await registry.close())
  return registry
}

/** True if a busy machine exceeded the request timeout. */
export const isLate = (error: unknown) => error instanceof Error && error.cause instanceof DeadlineError
