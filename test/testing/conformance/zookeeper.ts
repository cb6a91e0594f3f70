import { WebSocket } from 'ws'
import { checkNode } from '../../../lib/testing/index.js'
import { startZooKeeper } from '../../support/zookeeper-server.js'
import { PATIENCE, SIGNING, startZooKeeperNode, ZOOKEEPER_TIMES } from './start-node.js'
import type { Test } from 'tap'
import type { CheckNodeOptions, NodeReport, ProxyMode } from '../../../lib/testing/index.js'
import type { ZooKeeperDefect } from './start-node.js'

interface CheckedNode extends Pick<CheckNodeOptions, 'log' | 'only'> {
  defect?: ZooKeeperDefect
  cutBy?: ProxyMode
}

/** Checks a node of the kit on ZooKeeper, or a variant of one. */
export async function checkOnZooKeeper (t: Test, { log, only, ...options }: CheckedNode = {}): Promise<NodeReport> {
  const { port, hosts } = await startZooKeeper(t)
  const { id: nodeId, ...functions } = await startZooKeeperNode(t, { port, ...options })
  return await checkNode({
    zookeeper: hosts,
    nodeId,
    signing: SIGNING,
    only,
    ...ZOOKEEPER_TIMES,
    patience: PATIENCE,
    WebSocket,
    log,
    ...functions
  })
}
