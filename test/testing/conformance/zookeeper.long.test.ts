import t from 'tap'
import { secondLook } from '../../support/second-look.js'
import { withoutZooKeeper } from '../../support/zookeeper-server.js'
import { BROKEN_NODES } from './conformance.js'
import { ON_ZOOKEEPER } from './defects/on-zookeeper.js'
import { checkOnZooKeeper } from './zookeeper.js'
import type { BrokenZooKeeperNode } from './start-node.js'

const BASIC = ['registers', 'admits']
/** Faults that have nothing to do with the store. */
const SHARED = [
  'takes claims in any Base64url', 'answers the signature for a sub-protocol',
  'releases a room when one of its clients leaves', 'keeps the claim of a client that reset its connection',
  'keeps a client alone behind a shut door'
]

const brokenNodes: Array<[string, BrokenZooKeeperNode]> = [
  ...Object.entries(ON_ZOOKEEPER), ...BROKEN_NODES.filter(([name]) => SHARED.includes(name))
]

t.test('nodes on ZooKeeper – are checked – tell good and broken ones apart', {
  skip: withoutZooKeeper, timeout: 0
}, async (t) => {
  // Most of a check is waiting.
  t.jobs = 2
  for (const [name, { breaks, ...defect }] of brokenNodes) {
    t.test(`a node that ${name} – is checked for what it breaks – is found, and the report says how`, async (t) => {
      const ids = Object.keys(breaks)
      const check = async (only = [...BASIC, ...ids]) => await checkOnZooKeeper(t, { defect, only })
      const report = await secondLook(check, ids)
      const broken = report.rules.filter(({ outcome }) => outcome === 'broken')
      t.strictSame(broken.map(({ id }) => id).sort(), ids.sort(), { report: broken })
      for (const { id, detail = '' } of broken) t.match(detail, breaks[id], id)
      t.equal(report.passed, false)
    })
  }

  for (const cutBy of ['hang', 'refuse'] as const) {
    t.test(`a node of the kit – with a store that it cannot reach (${cutBy}) – keeps every rule`, async (t) => {
      const report = await secondLook(async (only) => await checkOnZooKeeper(t, { cutBy, only }))
      t.strictSame(report.rules.filter(({ outcome }) => outcome !== 'kept'), [])
      t.match({ passed: report.passed, complete: report.complete }, { passed: true, complete: true })
    })
  }
})
