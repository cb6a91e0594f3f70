import t from 'tap'
import { checkZooKeeper } from '../../../lib/cli/doctor/zookeeper.js'
import { joinCobrowse } from '../../../lib/node/index.js'
import { makeRegistry, STEADY } from '../../support/zookeeper-registry.js'
import { startEnsemble, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { expectFinding, troublesIn } from './expect.js'

const SIGNING = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }

t.test('doctor on ZooKeeper – three servers, then servers that hang – is well, then names them in time', {
  skip: withoutZooKeeper
}, async (t) => {
  const { servers, hosts } = await startEnsemble(t, 3)
  const registry = makeRegistry(t, hosts, { ...STEADY, linger: 20 })
  const node = await joinCobrowse({ registry, id: 'n1', wssUrl: 'wss://n1.example/ws', signing: SIGNING })
  t.teardown(async () => await node.close())
  const doctor = async () => await checkZooKeeper({ kind: 'zookeeper', hosts, root: '/cobrowse', auth: undefined })

  const healthy = await doctor()
  t.strictSame(troublesIn(healthy), [])
  t.strictSame(healthy.filter(({ outcome }) => outcome === 'not checked').map(({ subject }) => subject), ['clock', 'clocks of nodes'])
  expectFinding(t, healthy, ['ensemble', 'ok', /3 servers vote, and 1 of them may fail/])

  for (const server of servers) server.pause()
  t.teardown(() => servers.forEach((server) => server.resume()))
  const startedAt = performance.now()
  const hanging = await doctor()
  t.equal(hanging.filter(({ subject, outcome }) => subject === 'store' && outcome === 'fault').length, 3)
  expectFinding(t, hanging, ['session', 'fault', /no server grants a session/])
  t.ok(performance.now() - startedAt < 15_000)
})
