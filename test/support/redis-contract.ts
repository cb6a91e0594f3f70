import { redisRegistry } from '../../lib/registry/redis.js'
import { membershipContract, operationsContract, registryContract } from '../../lib/testing/index.js'
import { REDIS_CLIENTS } from './redis-clients.js'
import { connect, patient, skipSettling, SLACK_MS, timesOf } from './redis-registry.js'
import { startRedis, withoutRedis } from './redis-server.js'
import type { Test } from 'tap'
import type { MakeRegistry } from '../../types/contracts.js'

/** Runs the contracts of registries and memberships with each of the named clients. */
export function testRedisContract (t: Test, names: string[]): void {
  t.test('contract', { skip: withoutRedis }, async (t) => {
    t.jobs = 3
    const { port } = await startRedis(t)
    const admin = connect(t, port)
    for (const name of names) {
      t.test(name, async (t) => {
        t.jobs = 8
        const redis = await REDIS_CLIENTS[name]?.(t, port)
        if (redis === undefined) throw new Error(`there is no client "${name}"`)
        let lastPrefix = 0
        const make: MakeRegistry = async (times) => {
          const prefix = `{${name.replaceAll(' ', '-')}-${++lastPrefix}}`
          await skipSettling(admin, prefix)
          const makeOne = () => redisRegistry({ redis, prefix, ...timesOf(times) })
          return { registry: patient(makeOne()), nodes: makeOne() }
        }
        const settings = { test: t.test, slack: SLACK_MS }
        await Promise.all([registryContract, membershipContract, operationsContract].map(
          async (contract) => await contract(settings, make)))
      })
    }
  })
}
