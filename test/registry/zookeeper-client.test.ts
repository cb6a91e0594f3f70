import t from 'tap'
import { createZooKeeperClient } from '../../lib/registry/zookeeper-client.js'
import { until } from '../support/until.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { ZooKeeperClient, ZooKeeperClientOptions, ZooKeeperState } from '../../lib/registry/zookeeper-client.js'

const BYTES = Buffer.from('x')

interface Started {
  client: ZooKeeperClient
  states: ZooKeeperState[]
}

function start (t: Test, hosts: string, options: Partial<ZooKeeperClientOptions> = {}): Started {
  const client = createZooKeeperClient({ hosts, sessionTimeout: 2000, log: () => undefined, ...options })
  const states: ZooKeeperState[] = []
  client.on((state) => states.push(state))
  client.start()
  t.teardown(async () => await client.close())
  return { client, states }
}

async function connected (t: Test, hosts: string, options?: Partial<ZooKeeperClientOptions>): Promise<Started> {
  const started = start(t, hosts, options)
  await until(() => started.states.includes('connected'))
  return started
}

t.test('one server', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)

  t.test('nodes are made, read, listed and removed', async (t) => {
    const { client } = await connected(t, server.hosts)
    t.equal(await client.create('/a', BYTES), 'ok')
    t.equal(await client.create('/a', BYTES), 'exists')
    t.equal(await client.create('/none/a', BYTES), 'no-parent')
    t.strictSame((await client.get('/a'))?.data, BYTES)
    t.match(await client.exists('/a'), { version: 0, numChildren: 0, ephemeralOwner: '0'.repeat(16) })
    t.strictSame(await client.children('/a'), [])
    t.equal(await client.get('/b'), undefined)
    t.equal(await client.exists('/b'), undefined)
    t.equal(await client.children('/b'), undefined)
    t.equal(await client.remove('/a', { version: 1 }), 'bad-version')
    t.equal(await client.remove('/a'), 'ok')
    t.equal(await client.remove('/a'), 'absent')
  })

  t.test('a session that expired is lost, and a new one begins', async (t) => {
    const { client, states } = await connected(t, server.hosts)
    const before = client.sessionId()
    await server.expire(before)
    await until(() => states.filter((state) => state === 'connected').length === 2)
    t.strictSame(states, ['connected', 'suspended', 'lost', 'connected'])
    t.not(client.sessionId(), before)
  })
})
