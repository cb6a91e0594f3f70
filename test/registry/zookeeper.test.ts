import t from 'tap'
import { patient, watch } from '../support/redis-registry.js'
import { GONE_AFTER_MS, makeRegistry, newRoot } from '../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import { registryContract } from './contract.js'
import { membershipContract } from './membership-contract.js'
import type { Test } from 'tap'

t.test('contract', { skip: withoutZooKeeper }, async (t) => {
  t.jobs = 4
  const { hosts } = await startZooKeeper(t)
  const make = async (t: Test) => {
    const root = newRoot()
    const gateway = makeRegistry(t, hosts, { root })
    watch(gateway)
    return { gateway: patient(gateway), nodes: patient(makeRegistry(t, hosts, { root })) }
  }
  registryContract(t, make, { goneAfterMs: GONE_AFTER_MS })
  membershipContract(t, make, { goneAfterMs: GONE_AFTER_MS })
})
