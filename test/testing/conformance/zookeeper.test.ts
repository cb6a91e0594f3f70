import t from 'tap'
import { stepsFor } from '../../../lib/testing/conformance/rules/index.js'
import { withoutZooKeeper } from '../../support/zookeeper-server.js'
import { ON_ZOOKEEPER } from './defects/on-zookeeper.js'
import { checkOnZooKeeper } from './zookeeper.js'

const RULES = stepsFor('ZooKeeper').flatMap(({ rules }) => rules)
const ONLY = ['registers', 'admits', 'znodes', 'record-rooms', 'claims', 'room-key', 'elsewhere', 'call-ended']

t.test('each rule for ZooKeeper alone – is broken by one of the broken nodes', async (t) => {
  const broken = new Set(Object.values(ON_ZOOKEEPER).flatMap(({ breaks }) => Object.keys(breaks)))
  t.strictSame(RULES.filter(({ id, store }) => store !== undefined && !broken.has(id)), [])
})

t.test('a node of the kit – is checked on ZooKeeper for some rules – keeps them, and no rule for Redis is reported', {
  skip: withoutZooKeeper
}, async (t) => {
  const report = await checkOnZooKeeper(t, { only: ONLY })
  t.strictSame(report.rules.filter(({ outcome }) => outcome === 'kept').map(({ id }) => id), ONLY)
  t.match({ passed: report.passed, complete: report.complete }, { passed: true, complete: false })
  t.strictSame(report.rules.map(({ id }) => id), RULES.map(({ id }) => id))
})
