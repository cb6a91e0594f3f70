import { systemClock } from '../../common/clock.js'
import { withDeadline } from '../../common/deadline.js'
import { createZooKeeperClient } from '../../zookeeper-client/client.js'
import { parseHosts } from '../../zookeeper-client/hosts.js'
import { untilConnected } from '../../zookeeper-client/until-connected.js'
import { openZooKeeper } from '../store.js'
import { judgeAddresses } from './addresses.js'
import { inTime, runCheck } from './check.js'
import { fault, notChecked } from './finding.js'
import { judgeNodes } from './nodes.js'
import { judgeOrders } from './orders.js'
import { checkEnsemble } from './zookeeper/ensemble.js'
import { checkPaths } from './zookeeper/rights.js'
import { checkServers } from './zookeeper/servers.js'
import { judgeSession, SESSION_MS } from './zookeeper/session.js'
import type { ZooKeeperClient } from '../../zookeeper-client/client.js'
import type { OpenStore, ZooKeeperAddress } from '../store.js'
import type { Finding } from './finding.js'

const CONNECT_MS = 3000
const OPERATE_MS = 6000
const CALL_MS = 2000

/** Checks ZooKeeper, and what the deployment keeps there. */
export async function checkZooKeeper (address: ZooKeeperAddress): Promise<Finding[]> {
  // First, since it says which argument is wrong.
  const store = openZooKeeper(address)
  const { servers, chroot } = parseHosts(address.hosts)
  const [hosts = ''] = address.hosts.split('/')
  // The configuration of the ensemble is outside of any chroot.
  const client = createZooKeeperClient({
    hosts, auth: address.auth, sessionTimeout: SESSION_MS, callMs: CALL_MS, clock: systemClock, log: () => undefined
  })
  try {
    const [ofServers, ofData] = await Promise.all([
      runCheck('store', async () => await checkServers(servers)),
      checkData(client, store, { chroot, root: address.root })
    ])
    return [...ofServers, ...ofData]
  } finally {
    await Promise.all([client.close(), store.close()])
  }
}

async function checkData (
  client: ZooKeeperClient, { operations }: OpenStore, paths: { chroot: string, root: string }
): Promise<Finding[]> {
  client.start()
  try {
    await inTime(CONNECT_MS, withDeadline({ clock: systemClock, ms: CONNECT_MS }, async (limit) =>
      await untilConnected(client, limit)))
  } catch {
    return [
      fault('session', `no server grants a session: ${client.reason() ?? 'no answer'}`,
        'see CobrowseRegistryDown in docs/runbook.md'),
      notChecked('nodes', 'the store cannot be asked: neither nodes nor orders were read')
    ]
  }
  const groups = await Promise.all([
    runCheck('ensemble', async () => await checkEnsemble(client)),
    runCheck('session', async () => judgeSession(client.sessionTimeout())),
    runCheck('rights', async () => await checkPaths(client, paths)),
    runCheck('nodes', async () => {
      const nodes = await operations.nodes()
      return [...judgeNodes(nodes), ...judgeAddresses(nodes), ...judgeOrders(nodes, Date.now())]
    }, { ms: OPERATE_MS })
  ])
  return [
    ...groups.flat(),
    notChecked('clock', 'ZooKeeper has no clock to ask. Those of gateways and nodes may differ by "signing.skew", 5 s'),
    notChecked('clocks of nodes', 'nodes write no time into the store')
  ]
}
