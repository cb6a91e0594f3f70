import { Redis } from 'ioredis'
import { WebSocket } from 'ws'
import { checkNode } from '../../../lib/testing/index.js'
import * as nodeScripts from '../../../lib/registry/redis/scripts/node.js'
import * as bareUpgrade from '../../node/servers/bare-upgrade.js'
import { skipSettling } from '../../support/redis-registry.js'
import { startRedis } from '../../support/redis-server.js'
import { OF_LAPSES } from './defects/of-lapses.js'
import { OF_ROOMS } from './defects/of-rooms.js'
import { OF_SIGNATURES } from './defects/of-signatures.js'
import { PATIENCE, SIGNING, startTestNode, TIMES } from './start-node.js'
import type { Test } from 'tap'
import type { Script } from '../../../lib/registry/redis/scripts/prelude.js'
import type { NodeReport } from '../../../lib/testing/index.js'
import type { TestNodeOptions } from './start-node.js'

const JOBS = 16

/** Broken nodes, each with one defect. */
export const BROKEN_NODES = Object.entries({ ...OF_ROOMS, ...OF_LAPSES, ...OF_SIGNATURES })

/** Checks broken nodes, and two nodes that keep every rule. */
export async function testConformance (t: Test, brokenNodes: typeof BROKEN_NODES): Promise<void> {
  t.jobs = JOBS
  const { port } = await startRedis(t)
  const redis = new Redis(port, '127.0.0.1')
  t.teardown(() => redis.disconnect())
  // The scripts are loaded first: a node's first EVALSHA would be answered NOSCRIPT, and defects are not in the EVAL.
  for (const { text } of Object.values<Script>({ ...nodeScripts })) await redis.script('LOAD', text)
  let checks = 0

  async function check (t: Test, options: Partial<TestNodeOptions> = {}): Promise<NodeReport> {
    const prefix = `{check-${++checks}}`
    await skipSettling(redis, prefix)
    const { id, ...node } = await startTestNode(t, { redisPort: port, prefix, ...options })
    const times = { ...TIMES, patience: PATIENCE }
    return await checkNode({ redis, prefix, nodeId: id, signing: SIGNING, ...times, WebSocket, ...node })
  }

  const idsOf = ({ rules }: NodeReport, outcome: string) =>
    rules.flatMap((rule) => rule.outcome === outcome ? rule.id : []).sort()

  for (const [name, { breaks, ...defect }] of brokenNodes) {
    t.test(`a node that ${name} – breaks its rules only`, async (t) => {
      const report = await check(t, { defect })
      t.strictSame(idsOf(report, 'broken'), [...breaks].sort(), { report: report.rules.filter(({ outcome }) => outcome !== 'kept') })
      t.equal(report.passed, false)
    })
  }

  const good: Record<string, Partial<TestNodeOptions>> = {
    'with ws, and a store that hangs': {},
    'on a bare upgrade event, and a store that is gone': { defect: { serve: bareUpgrade.serve }, cutBy: 'refuse' }
  }
  for (const [name, options] of Object.entries(good)) {
    t.test(`a node of the kit – ${name} – keeps every rule`, async (t) => {
      const report = await check(t, options)
      t.strictSame(report.rules.filter(({ outcome }) => outcome !== 'kept'), [])
      t.equal(report.passed, true)
    })
  }
}
