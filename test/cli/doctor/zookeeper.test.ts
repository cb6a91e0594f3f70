import t from 'tap'
import { checkZooKeeper } from '../../../lib/cli/doctor/zookeeper.js'
import { joinCobrowse } from '../../../lib/node/index.js'
import { findFreePort } from '../../support/redis-server.js'
import { startAdmin } from '../../support/zookeeper-admin.js'
import { connectClient } from '../../support/zookeeper-client.js'
import { makeRegistry, STEADY } from '../../support/zookeeper-registry.js'
import { startZooKeeper, withoutZooKeeper } from '../../support/zookeeper-server.js'
import { runCli } from '../run-cli.js'
import { expectFinding, NO_ENV, troublesIn } from './expect.js'

const SIGNING = { keys: [{ id: 'k', secret: 's'.repeat(32) }] }
const doctor = async (hosts: string, root = '/cobrowse', auth?: string) =>
  await checkZooKeeper({ kind: 'zookeeper', hosts, root, auth })

t.test('doctor on ZooKeeper – one server with a node, then faults – names each fault', {
  skip: withoutZooKeeper
}, async (t) => {
  const { hosts } = await startZooKeeper(t)
  const registry = makeRegistry(t, hosts, { ...STEADY, linger: 20 })
  const node = await joinCobrowse({ registry, id: 'n1', wssUrl: 'wss://n1.example/ws', signing: SIGNING })
  t.teardown(async () => await node.close())
  const { client } = await connectClient(t, hosts)

  const before = await client.children('/cobrowse/nodes')
  const healthy = await doctor(hosts)
  t.strictSame(troublesIn(healthy), ['warning ensemble'], 'one server alone')
  expectFinding(t, healthy, ['store', 'ok', /ZooKeeper 3\.\d+\.\d+ at 127\.0\.0\.1:\d+ answers \(standalone\)/])
  expectFinding(t, healthy, ['rights', 'ok', /below \/cobrowse/])
  expectFinding(t, healthy, ['nodes', 'ok', /1 of 1 serve/])
  t.strictSame(await client.children('/cobrowse/nodes'), before, 'nothing is created')

  await client.create('/cobrowse/nodes/n2~i', Buffer.from('no JSON'), { ephemeral: true })
  await client.create('/cobrowse/ids/n3~', Buffer.from('i'))
  const old = { at: Date.now() - 3 * 86_400_000, kind: 'cordon', author: 'anna', reason: 'kernel' }
  await client.create('/cobrowse/orders', Buffer.alloc(0))
  await client.create('/cobrowse/orders/n1~', Buffer.from(JSON.stringify(old)))
  const port = await findFreePort()
  const ill = await doctor(`${hosts},127.0.0.1:${port}`)
  expectFinding(t, ill, ['store', 'warning', new RegExp(`127\\.0\\.0\\.1:${port} cannot be reached \\(ECONNREFUSED\\)`)])
  expectFinding(t, ill, ['nodes', 'fault', /gateways reject n2: .*cannot be parsed/])
  expectFinding(t, ill, ['nodes', 'warning', /not heard of.*n3/])
  expectFinding(t, ill, ['orders', 'warning', /n1: cordon by anna 3 d ago: kernel/])

  const unused = await doctor(hosts, '/other')
  expectFinding(t, unused, ['rights', 'warning', /\/other does not exist/])
  expectFinding(t, unused, ['nodes', 'fault', /no node is registered/])
  t.equal(await client.exists('/other'), undefined, 'nothing is created')
  expectFinding(t, await doctor(`${hosts}/apps`), ['rights', 'fault', /\/apps, the path after the servers, does not exist/])

  const admin = await startAdmin(t, hosts)
  await client.create('/locked', Buffer.alloc(0))
  await admin.lock('/locked')
  expectFinding(t, await doctor(hosts, '/locked'), ['rights', 'fault', /may not create below \/locked/])

  const protectedNode = await joinCobrowse({
    registry: makeRegistry(t, hosts, { ...STEADY, linger: 20, root: '/own', auth: 'user:hush' }),
    id: 'n1',
    wssUrl: 'wss://n1.example/ws',
    signing: SIGNING
  })
  t.teardown(async () => await protectedNode.close())
  t.strictSame(troublesIn(await doctor(hosts, '/own', 'user:hush')), ['warning ensemble'])
  const stranger = await doctor(hosts, '/own')
  expectFinding(t, stranger, ['rights', 'fault', /may not read \/own\/nodes/])
  expectFinding(t, stranger, ['nodes', 'fault', /cannot be checked: .*NO_AUTH/])
  const nodes = await runCli(['nodes', '--zookeeper', hosts, '--prefix', '/own'], { ...NO_ENV, ZOOKEEPER_AUTH: 'user:hush' })
  t.match(nodes, { code: 0, out: /^n1 +serving/m })
})
