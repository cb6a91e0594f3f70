import { WebSocket } from 'ws'
import { checkNode } from '../../../lib/testing/index.js'
import { stepsFor } from '../../../lib/testing/conformance/rules/index.js'
import * as bareUpgrade from '../../node/servers/bare-upgrade.js'
import { connect, skipSettling } from '../../support/redis-registry.js'
import { startRedis } from '../../support/redis-server.js'
import { secondLook } from '../../support/second-look.js'
import { OF_CALLS } from './defects/of-calls.js'
import { OF_CLAIMS } from './defects/of-claims.js'
import { OF_LAPSES } from './defects/of-lapses.js'
import { OF_ORDERS } from './defects/of-orders.js'
import { OF_RETURNS } from './defects/of-returns.js'
import { OF_ROOMS } from './defects/of-rooms.js'
import { OF_SIGNATURES } from './defects/of-signatures.js'
import { OF_USED_SIGNATURES } from './defects/of-used-signatures.js'
import { PATIENCE, SIGNING, startTestNode, TIMES } from './start-node.js'
import type { Test } from 'tap'
import type { CheckNodeOptions, NodeReport } from '../../../lib/testing/index.js'
import type { BrokenNode, TestNodeOptions } from './start-node.js'

/** More nodes at once do not keep their short leases. */
const JOBS = 3

/** Broken nodes, each with one defect. */
export const BROKEN_NODES = Object.entries<BrokenNode>({
  ...OF_ROOMS,
  ...OF_CLAIMS,
  ...OF_CALLS,
  ...OF_ORDERS,
  ...OF_LAPSES,
  ...OF_RETURNS,
  ...OF_SIGNATURES,
  ...OF_USED_SIGNATURES
})

interface CheckedNode extends Partial<TestNodeOptions>, Partial<Pick<CheckNodeOptions, 'log' | 'only' | 'signing'>> {
  /** Leaves out `cut`, `heal`, `stop` and `start`. */
  isAlone?: boolean
}

const ALONE = new Set(stepsFor('Redis').flatMap(({ needs, rules }) => needs === undefined ? rules.map(({ id }) => id) : []))

/** Checks a node of the kit, or a variant of one. */
export async function check (
  t: Test, { log, only, signing = SIGNING, isAlone = false, ...options }: CheckedNode = {}
): Promise<NodeReport> {
  // Each node has its own server, since a check makes the server forget its scripts.
  const { port } = await startRedis(t)
  const redis = connect(t, port)
  const prefix = '{check}'
  await skipSettling(redis, prefix)
  const { id, ...functions } = await startTestNode(t, { redisPort: port, prefix, ...options })
  const node = isAlone ? {} : functions
  const times = { ...TIMES, patience: PATIENCE }
  return await checkNode({ redis, prefix, nodeId: id, signing, only, ...times, WebSocket, log, ...node })
}

/**
 * Checks broken nodes, and two nodes that keep every rule.
 *
 * @param options.isAlsoAlone whether the broken nodes are checked without `cut` and `stop` as well
 */
export async function testConformance (
  t: Test, brokenNodes: typeof BROKEN_NODES, { isAlsoAlone = false } = {}
): Promise<void> {
  t.jobs = JOBS
  for (const [name, { breaks, ...defect }] of brokenNodes) {
    t.test(`a node that ${name} – is checked – breaks its rules only, and the report says how`, async (t) => {
      const report = await secondLook(async (only) => await check(t, { defect, only }), Object.keys(breaks))
      const unkept = report.rules.filter(({ outcome }) => outcome !== 'kept')
      const broken = unkept.filter(({ outcome }) => outcome === 'broken')
      t.strictSame(broken.map(({ id }) => id).sort(), Object.keys(breaks).sort(), { report: unkept })
      for (const { id, detail = '' } of broken) t.match(detail, breaks[id], id)
      t.equal(report.passed, false)
    })
  }

  for (const [name, { breaks, ...defect }] of isAlsoAlone ? brokenNodes : []) {
    const expected = Object.keys(breaks).filter((id) => ALONE.has(id))
    if (expected.length === 0) continue
    t.test(`a node that ${name} – is checked without cut and stop – breaks the other rules`, async (t) => {
      const checkAlone = async (only?: string[]) => await check(t, { defect, only, isAlone: true })
      const { rules, complete } = await secondLook(checkAlone, expected)
      const broken = rules.flatMap(({ id, outcome }) => outcome === 'broken' ? id : [])
      t.strictSame(broken.sort(), expected.sort())
      t.equal(complete, false)
    })
  }

  const good: Record<string, Partial<TestNodeOptions>> = {
    'with ws, and a store that hangs': {},
    'on a bare upgrade event, and a store that is gone': { defect: { serve: bareUpgrade.serve }, cutBy: 'refuse' }
  }
  for (const [name, options] of Object.entries(good)) {
    t.test(`a node of the kit – ${name} – keeps every rule`, async (t) => {
      const report = await secondLook(async (only) => await check(t, { ...options, only }))
      t.strictSame(report.rules.filter(({ outcome }) => outcome !== 'kept'), [])
      t.match({ passed: report.passed, complete: report.complete }, { passed: true, complete: true })
    })
  }
}
