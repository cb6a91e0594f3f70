import t from 'tap'
import { zookeeperRegistry } from '../../lib/registry/zookeeper.js'
import { membershipContract, operationsContract, registryContract } from '../../lib/testing/index.js'
import { patient } from '../support/redis-registry.js'
import { newRoot } from '../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { MakeRegistry } from '../../types/contracts.js'

/** The longest session that the server of the tests grants, since no node dies in a contract. */
const SESSION_MS = 20_000

t.test('contract', { skip: withoutZooKeeper }, async (t) => {
  t.jobs = 8
  const { hosts } = await startZooKeeper(t)
  const make: MakeRegistry = ({ linger }) => {
    const root = newRoot()
    const makeOne = () => zookeeperRegistry({ hosts, root, sessionTimeout: SESSION_MS, linger })
    return { registry: patient(makeOne()), nodes: makeOne() }
  }
  await Promise.all([registryContract, membershipContract, operationsContract].map(
    async (contract) => await contract({ test: t.test }, make)))
})
