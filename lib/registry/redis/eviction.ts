import { EVICTION_POLICY } from './scripts/gateway.js'
import type { FastifyBaseLogger } from 'fastify'
import type { RedisStore } from './store.js'

const CALL_MS = 300

/** Warns if the server may evict bindings and leases. Checks again in a new epoch, which may be another server's. */
export type CheckEviction = (epoch: string | undefined) => Promise<void>

export function createEvictionCheck (store: RedisStore, log: () => FastifyBaseLogger | undefined): CheckEviction {
  let checked: string | undefined
  let told: string | undefined

  async function ask (): Promise<string | undefined> {
    try {
      return String(await store.run(EVICTION_POLICY, { args: [], ms: CALL_MS }))
    } catch {
      return undefined
    }
  }

  return async function check (epoch) {
    if (epoch === checked || log() === undefined) return
    checked = epoch
    const policy = await ask()
    if (policy === undefined) checked = undefined
    // A user without access to INFO is warned elsewhere.
    if (policy === undefined || policy === '' || policy === 'noeviction' || policy === told) return
    told = policy
    log()?.warn({ policy }, 'Redis may evict rooms that are in use: set its maxmemory-policy to noeviction')
  }
}
