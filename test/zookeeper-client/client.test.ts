import t from 'tap'
import { systemClock } from '../../lib/common/clock.js'
import { createZooKeeperClient } from '../../lib/zookeeper-client/client.js'
import { eventually } from '../support/until.js'
import { connectClient, SESSION_MS, startClient } from '../support/zookeeper-client.js'
import { startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'

const DATA = Buffer.from('data')
const RACES = 30

t.test('requests to one server', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  const connect = async (path = '') => await connectClient(t, server.hosts + path)

  t.test('a session – is granted', async (t) => {
    const { client, states } = await connect()
    t.strictSame(states, ['connected'])
    t.equal(client.state(), 'connected')
    t.match(client.sessionId(), /^[\da-f]{16}$/)
    t.equal(client.sessionTimeout(), SESSION_MS)
    t.equal(client.reason(), undefined)
    t.equal((await connectClient(t, server.hosts, { sessionTimeout: 60_000 })).client.sessionTimeout(), 20_000)
  })

  t.test('znodes – are created, read, listed and removed', async (t) => {
    const { client } = await connect()
    t.equal(await client.create('/a', DATA), 'ok')
    t.equal(await client.create('/a', DATA), 'exists')
    t.equal(await client.create('/none/a', DATA), 'no-parent')
    t.equal(await client.create('/a/b', Buffer.alloc(0)), 'ok')
    const found = await client.get('/a')
    t.strictSame(found?.data, DATA)
    t.match(found?.stat, { version: 0, cversion: 1, numChildren: 1, ephemeralOwner: '0'.repeat(16) })
    t.match(found?.stat.czxid, /^[\da-f]{16}$/)
    t.ok(Math.abs((found?.stat.mtime ?? 0) - Date.now()) < 60_000)
    t.strictSame(await client.exists('/a'), found?.stat)
    t.strictSame((await client.get('/a/b'))?.data, Buffer.alloc(0))
    t.strictSame(await client.children('/a'), ['b'])
    t.strictSame([await client.get('/b'), await client.exists('/b'), await client.children('/b')], Array(3).fill(undefined))
    t.equal(await client.remove('/a/b', { version: 1 }), 'bad-version')
    await t.rejects(client.remove('/a'), { code: 'NOT_EMPTY' })
    t.equal(await client.remove('/a/b', { version: 0 }), 'ok')
    t.equal(await client.remove('/a'), 'ok')
    t.equal(await client.remove('/a'), 'absent')
  })

  t.test('ephemeral znodes of a session – are removed by its close', async (t) => {
    const { client } = await connect()
    const owner = await connect()
    t.equal(await owner.client.create('/owned', DATA, { ephemeral: true }), 'ok')
    t.equal((await client.exists('/owned'))?.ephemeralOwner, owner.client.sessionId())
    await owner.client.close()
    t.equal(await client.exists('/owned'), undefined)
  })

  t.test('a transaction – is applied as a whole, or names the failed operation', async (t) => {
    const { client } = await connect()
    t.equal(await client.multi([
      { type: 'create', path: '/m', data: DATA },
      { type: 'create', path: '/m/e', data: DATA, ephemeral: true },
      { type: 'check', path: '/m', version: 0 },
      { type: 'check', path: '/m' },
      { type: 'set', path: '/m', data: DATA, version: 0 },
      { type: 'remove', path: '/m/e', version: 0 }
    ]), undefined)
    t.equal((await client.exists('/m'))?.version, 1)
    const fails = async (op: Parameters<typeof client.multi>[0][number], name: string) => {
      const failure = await client.multi([{ type: 'create', path: '/m/x', data: DATA }, op])
      t.strictSame(failure, { index: 1, name })
      t.equal(await client.exists('/m/x'), undefined)
    }
    await fails({ type: 'check', path: '/m', version: 0 }, 'BAD_VERSION')
    await fails({ type: 'set', path: '/m', data: DATA, version: 0 }, 'BAD_VERSION')
    await fails({ type: 'remove', path: '/m', version: 0 }, 'BAD_VERSION')
    await fails({ type: 'remove', path: '/m' }, 'NOT_EMPTY')
    await fails({ type: 'check', path: '/none' }, 'NO_NODE')
    await fails({ type: 'set', path: '/none', data: DATA }, 'NO_NODE')
    await fails({ type: 'create', path: '/none/x', data: DATA }, 'NO_NODE')
    await fails({ type: 'create', path: '/m', data: DATA }, 'NODE_EXISTS')
    t.equal(await client.multi([{ type: 'set', path: '/m', data: DATA }, { type: 'remove', path: '/m' }]), undefined)
  })

  t.test('two writes over version 0 – only one succeeds', async (t) => {
    const { client } = await connect()
    const other = await connect()
    const write = (path: string): Parameters<typeof client.multi>[0] => [
      { type: 'check', path, version: 0 }, { type: 'set', path, data: DATA, version: 0 }
    ]
    for (let race = 0; race < RACES; race++) {
      await client.create(`/race${race}`, DATA)
      const failures = await Promise.all([client, other.client].map((c) => c.multi(write(`/race${race}`))))
      t.strictSame(failures.filter(Boolean), [{ index: 0, name: 'BAD_VERSION' }])
    }
  })

  t.test('a watch – fires once, for one change', async (t) => {
    const { client } = await connect()
    const told = { get: 0, exists: 0, absent: 0, children: 0 }
    const tell = (what: keyof typeof told) => () => { told[what]++ }
    const absent = tell('absent')
    await client.exists('/w', { watch: absent })
    await client.exists('/w', { watch: absent })
    await client.get('/w', { watch: tell('get') })
    await client.create('/w', DATA)
    await eventually(() => told.absent, 1)
    await client.get('/w', { watch: tell('get') })
    await client.exists('/w', { watch: tell('exists') })
    await client.children('/w', { watch: tell('children') })
    await client.multi([{ type: 'set', path: '/w', data: DATA }])
    await client.create('/w/c', DATA)
    await client.multi([{ type: 'set', path: '/w', data: DATA }, { type: 'remove', path: '/w/c' }])
    await client.remove('/w')
    await eventually(() => told.children, 1)
    t.strictSame(told, { get: 1, exists: 1, absent: 1, children: 1 })
  })

  t.test('many watches on one znode – are not reported as a leak', async (t) => {
    const { client } = await connect()
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    let told = 0
    for (let i = 0; i < 30; i++) await client.exists('/many', { watch: () => { told++ } })
    await client.create('/many', DATA)
    await eventually(() => told, 30)
    t.strictSame(warnings, [])
  })

  t.test('a listener or watch that throws – is an uncaught exception, and the client goes on', async (t) => {
    const uncaught: string[] = []
    const handlers = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error.message))
    t.teardown(() => {
      process.removeAllListeners('uncaughtException')
      for (const handler of handlers) process.on('uncaughtException', handler)
    })
    const client = createZooKeeperClient({
      hosts: server.hosts, sessionTimeout: SESSION_MS, log: () => undefined, clock: systemClock
    })
    t.teardown(async () => await client.close())
    client.on(() => { throw new Error('a listener') })
    client.start()
    await eventually(() => client.state(), 'connected')
    await client.exists('/thrown', { watch: () => { throw new Error('a watch') } })
    await client.create('/thrown', DATA)
    await eventually(() => uncaught.length, 2)
    t.strictSame(uncaught, ['a listener', 'a watch'])
    t.ok(await client.exists('/thrown'))
  })

  t.test('a client with its own root – sees nothing above it', async (t) => {
    const { client } = await connect()
    const inner = await connect('/inner')
    t.equal(await inner.client.create('/a', DATA), 'no-parent')
    await client.create('/inner', DATA)
    let told = 0
    await inner.client.exists('/a', { watch: () => { told++ } })
    t.equal(await inner.client.multi([{ type: 'create', path: '/a', data: DATA }]), undefined)
    await eventually(() => told, 1)
    t.strictSame(await inner.client.children('/'), ['a'])
    t.ok(await client.exists('/inner/a'))
  })

  t.test('a znode created with credentials – is accessible only with them', async (t) => {
    const { client } = await connect()
    const own = await connectClient(t, server.hosts, { auth: 'cobrowse:secret' })
    t.equal(await own.client.create('/own', DATA), 'ok')
    await t.rejects(client.get('/own'), { name: 'ZooKeeperError', code: 'NO_AUTH' })
    t.strictSame(await client.multi([{ type: 'set', path: '/own', data: DATA }]), { index: 0, name: 'NO_AUTH' })
    const same = await connectClient(t, server.hosts, { auth: 'cobrowse:secret' })
    t.strictSame((await same.client.get('/own'))?.data, DATA)
    const wrong = await connectClient(t, server.hosts, { auth: 'cobrowse:wrong' })
    await t.rejects(wrong.client.get('/own'), { code: 'NO_AUTH' })
  })

  t.test('a request – has its own deadline, and heeds its signal', async (t) => {
    const { client } = await connect()
    await t.rejects(client.get('/', { signal: AbortSignal.abort(new Error('gone')) }), { message: 'gone' })
    server.pause()
    try {
      const startedAt = performance.now()
      await t.rejects(client.get('/', { ms: 50 }), { name: 'DeadlineError' })
      t.ok(performance.now() - startedAt < 1000)
      const controller = new AbortController()
      const call = client.get('/', { signal: controller.signal, ms: 5000 })
      controller.abort(new Error('went away'))
      await t.rejects(call, { message: 'went away' })
    } finally {
      server.resume()
    }
  })

  t.test('a request that the server would reject – is not sent', async (t) => {
    const { client, states } = await connect()
    const large = Buffer.alloc(1_000_001)
    await t.rejects(client.create('/large', large), RangeError)
    const half = large.subarray(500_000)
    await t.rejects(client.multi(['/l1', '/l2'].map((path) => ({ type: 'create', path, data: half }))), RangeError)
    t.equal(await client.create('/large', large.subarray(1), { ms: 5000 }), 'ok')
    t.equal((await client.get('/large', { ms: 5000 }))?.data.length, 1_000_000)
    for (const path of ['', 'a', '/a/', '//a', '/a/../b', '/.', '/a\u0000', '/a\n', '/\ud83d\ude00']) {
      await t.rejects(client.get(path), TypeError, JSON.stringify(path))
      await t.rejects(client.multi([{ type: 'check', path }]), TypeError)
    }
    t.strictSame(states, ['connected'])
  })

  t.test('a closed client – rejects every request', async (t) => {
    const { client } = await connect()
    await client.close()
    await client.close()
    await t.rejects(client.get('/'), { code: 'CONNECTION_LOSS', message: 'the client is closed' })
    client.start()
    t.strictSame([client.state(), client.sessionId()], [undefined, undefined])
  })
})

t.test('a client – closed before its start or while it connects – ends', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)
  await createZooKeeperClient({
    hosts: server.hosts, sessionTimeout: SESSION_MS, log: () => undefined, clock: systemClock
  }).close()
  for (let turns = 0; turns < 30; turns++) {
    const { client, states } = startClient(t, server.hosts)
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
    const startedAt = performance.now()
    await Promise.all([client.close(), client.close()])
    t.ok(performance.now() - startedAt < 2000)
    t.notOk(states.includes('lost'))
  }
})
