import { DeadlineError } from '../../lib/common/deadline.js'
import { zookeeperRegistry } from '../../lib/registry/zookeeper.js'
import { patient } from './redis-registry.js'
import type { Test } from 'tap'
import type { Registry, ZooKeeperRegistryOptions } from '../../types/index.js'

/** Sessions that a busy machine can keep. */
export const FAST = { sessionTimeout: 2000, linger: 1 }
/** Sessions that no busy machine lets expire, for tests in which no node dies. */
export const STEADY = { sessionTimeout: 6000 }

let lastRoot = 0
export const newRoot = () => `/test-${++lastRoot}`

type Options = Omit<ZooKeeperRegistryOptions, 'hosts'>

/** A registry that asks again where a busy machine was late, as callers do. */
export const makeRegistry = (t: Test, hosts: string, options: Options = {}): Registry =>
  patient(makeHastyRegistry(t, hosts, options))

/** A registry that asks once, for tests of its time limits. */
export function makeHastyRegistry (t: Test, hosts: string, options: Options = {}): Registry {
  const registry = zookeeperRegistry({ hosts, ...FAST, ...options })
  t.teardown(async () => await registry.close())
  return registry
}

/** Whether a busy machine was slower than a call may be. */
export const isLate = (error: unknown) => error instanceof Error && error.cause instanceof DeadlineError
