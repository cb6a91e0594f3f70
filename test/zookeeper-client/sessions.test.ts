import t from 'tap'
import { startToxicProxy } from '../../lib/testing/toxic-proxy.js'
import { elapse } from '../support/elapse.js'
import { eventually, until } from '../support/until.js'
import { connectClient, SESSION_MS, startClient } from '../support/zookeeper-client.js'
import { startEnsemble, startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { ZooKeeperClient } from '../../lib/zookeeper-client/client.js'
import type { StartedClient } from '../support/zookeeper-client.js'

const DATA = Buffer.from('data')
/** Milliseconds that a busy machine may add. */
const SLACK_MS = 3000

// An abandoned request that fails later must not end the process.
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

async function startProxied (t: Test, port: number) {
  const proxy = await startToxicProxy({ port })
  t.teardown(async () => await proxy.close())
  return { proxy, hosts: `127.0.0.1:${proxy.port}` }
}

async function failsAtOnce (t: Test, { client }: StartedClient) {
  const startedAt = performance.now()
  const options = { ms: 60_000 }
  const calls: Array<Promise<unknown>> = [
    client.get('/', options), client.create('/x', DATA, options), client.multi([{ type: 'check', path: '/' }], options)
  ]
  for (const call of calls) await t.rejects(call, { name: 'ZooKeeperError', code: 'CONNECTION_LOSS' })
  t.ok(performance.now() - startedAt < 5000)
}

async function timed (work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work
  return performance.now() - startedAt
}

/** An ensemble disconnects its clients once more while it elects a leader. */
async function seen (client: ZooKeeperClient, path: string) {
  return await until(async () => await client.exists(path, { ms: 5000 }).catch(() => undefined), path)
}

t.test('sessions on one server', { skip: withoutZooKeeper }, async (t) => {
  const server = await startZooKeeper(t)

  t.test('an expired session – is lost with its ephemeral znodes, and a new one begins', async (t) => {
    const { client, states } = await connectClient(t, server.hosts)
    const before = client.sessionId()
    await client.create('/mine', DATA, { ephemeral: true })
    await server.expire(before)
    const ms = await timed(until(() => states.length === 4))
    t.strictSame(states, ['connected', 'suspended', 'lost', 'connected'])
    t.match(client.sessionId(), /^[\da-f]{16}$/)
    t.not(client.sessionId(), before)
    t.equal(await client.exists('/mine'), undefined)
    t.comment(`expired and connected again within ${Math.round(ms)} ms`)
  })

  t.test('a server paused for less than the session timeout – costs no session', async (t) => {
    const started = await connectClient(t, server.hosts)
    const { client, states } = started
    const id = client.sessionId()
    await client.create('/kept', DATA, { ephemeral: true })
    server.pause()
    try {
      const waiting = Array.from({ length: 20 }, () => client.get('/', { ms: 60_000 }))
      const failing = Promise.all(waiting.map((call) => t.rejects(call, { code: 'CONNECTION_LOSS' })))
      const ms = await timed(until(() => states.includes('suspended')))
      t.ok(ms < SESSION_MS * 2 / 3 + SLACK_MS, `noticed after ${Math.round(ms)} ms`)
      t.comment(`a server that stands still was noticed after ${Math.round(ms)} ms of a session of ${SESSION_MS} ms`)
      await failing
      t.equal(client.reason(), 'ZooKeeper does not answer in time')
      t.equal(client.sessionId(), id)
      await failsAtOnce(t, started)
    } finally {
      server.resume()
    }
    await eventually(() => states.at(-1), 'reconnected')
    t.equal(client.sessionId(), id)
    t.equal((await client.exists('/kept'))?.ephemeralOwner, id)
    t.notOk(states.includes('lost'))
  })

  t.test('a server paused beyond the session timeout – the loss is known before the server goes on', async (t) => {
    const started = await connectClient(t, server.hosts)
    const { client, states } = started
    const id = client.sessionId()
    server.pause()
    try {
      const ms = await timed(until(() => states.includes('lost')))
      t.ok(ms > SESSION_MS / 2 && ms < SESSION_MS + SLACK_MS, `lost after ${Math.round(ms)} ms`)
      t.equal(client.sessionId(), undefined)
      await failsAtOnce(t, started)
    } finally {
      server.resume()
    }
    const ms = await timed(until(() => states.at(-1) === 'connected'))
    t.comment(`connected ${Math.round(ms)} ms after the server went on`)
    t.strictSame(states, ['connected', 'suspended', 'lost', 'connected'])
    t.not(client.sessionId(), id)
  })

  t.test('a close while the server is paused – ends in bounded time', async (t) => {
    const { client } = await connectClient(t, server.hosts)
    const away = await connectClient(t, server.hosts, { sessionTimeout: 600 })
    server.pause()
    try {
      const connecting = startClient(t, server.hosts)
      await until(() => away.states.includes('suspended'))
      const call = t.rejects(client.get('/', { ms: 60_000 }), { code: 'CONNECTION_LOSS' })
      const closes = [client, client, connecting.client, away.client].map(async (each) => await each.close())
      const ms = await timed(Promise.all(closes))
      t.ok(ms < 500 + SLACK_MS, `closed after ${Math.round(ms)} ms`)
      await call
    } finally {
      server.resume()
    }
  })

  t.test('a dropped connection – is restored with its session, and without its watches', async (t) => {
    const { proxy, hosts } = await startProxied(t, server.port)
    const { client, states } = await connectClient(t, hosts)
    const other = await connectClient(t, server.hosts)
    const id = client.sessionId()
    await client.create('/watched', DATA)
    let told = 0
    await client.get('/watched', { watch: () => { told++ } })
    for (let cut = 1; cut <= 5; cut++) {
      proxy.retarget(server.port)
      await until(() => states.filter((state) => state === 'reconnected').length === cut)
    }
    await other.client.remove('/watched')
    t.equal(await client.exists('/watched'), undefined)
    t.equal(told, 0)
    t.equal(client.sessionId(), id)
    t.notOk(states.includes('lost'))
  })

  t.test('a network that swallows everything – is noticed, and the session lost in time', async (t) => {
    const { proxy, hosts } = await startProxied(t, server.port)
    const { client, states } = await connectClient(t, hosts)
    proxy.set('hang')
    await until(() => states.includes('lost'))
    proxy.set('pass')
    await eventually(() => states.at(-1), 'connected')
    t.strictSame(states, ['connected', 'suspended', 'lost', 'connected'])
    t.ok(await client.exists('/'))
  })

  t.test('answers in small pieces – are read', async (t) => {
    const { proxy, hosts } = await startProxied(t, server.port)
    proxy.slice(3)
    const { client, states } = await connectClient(t, hosts, { sessionTimeout: 10_000 })
    t.match(await client.exists('/', { ms: 10_000 }), { ephemeralOwner: '0'.repeat(16) })
    t.strictSame(states, ['connected'])
  })

  t.test('a stall of our own event loop – is not taken for a loss', async (t) => {
    const { client, states } = await connectClient(t, server.hosts, { sessionTimeout: 3000 })
    const id = client.sessionId()
    for (let stall = 0; stall < 4; stall++) {
      // The stall exceeds the time allowed for a heartbeat, and some stalls meet a pending one.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200)
      await elapse(20, 'time to read pending answers')
    }
    t.ok(await client.exists('/', { ms: 10_000 }))
    t.strictSame(states, ['connected'])
    t.equal(client.sessionId(), id)
  })

  t.test('a server killed and restarted within the session timeout – keeps the session', async (t) => {
    const { client, states } = await connectClient(t, server.hosts, { sessionTimeout: 15_000 })
    const id = client.sessionId()
    await client.create('/survives', DATA, { ephemeral: true })
    const call = t.rejects(Promise.all([server.kill(), client.get('/', { ms: 60_000 }).then(async () => {
      for (;;) await client.get('/', { ms: 60_000 })
    })]), { code: 'CONNECTION_LOSS' })
    await until(() => states.includes('suspended'))
    await call
    await server.restart({ keepsData: true })
    await eventually(() => states.at(-1), 'reconnected')
    t.strictSame(states, ['connected', 'suspended', 'reconnected'])
    t.equal(client.sessionId(), id)
    t.equal((await client.exists('/survives'))?.ephemeralOwner, id)
  })

  t.test('a server that restarts empty – is used with a new session', async (t) => {
    const { client, states } = await connectClient(t, server.hosts)
    await client.create('/forgotten', DATA)
    await server.restart()
    await until(() => states.filter((state) => state === 'connected').length === 2)
    t.equal(await client.exists('/forgotten'), undefined)
  })

  t.test('servers unavailable at the start – are awaited', async (t) => {
    await server.kill()
    const started = startClient(t, server.hosts)
    await elapse(1500, 'several failed attempts')
    await failsAtOnce(t, started)
    t.equal(started.client.state(), undefined)
    t.equal(started.client.reason(), 'ZooKeeper cannot be reached (ECONNREFUSED)')
    await server.restart()
    const ms = await timed(until(() => started.client.state() === 'connected'))
    t.ok(ms < 10_000, `connected after ${Math.round(ms)} ms`)
  })
})

t.test('sessions on three servers', { skip: withoutZooKeeper }, async (t) => {
  const { servers, hosts } = await startEnsemble(t, 3, { properties: ['-Dreadonlymode.enabled=true'] })
  const serverOf = async (id: string | undefined) => await until(async () => {
    for (const server of servers) if (await server.serves(id)) return server
    return undefined
  })

  t.test('one of the servers – is the leader', async (t) => {
    const leads = await Promise.all(servers.map(async (server) => await server.isLeader()))
    t.equal(leads.filter(Boolean).length, 1)
  })

  t.test('a paused server – its clients move to others with their sessions, and new clients go there', async (t) => {
    const { client, states } = await connectClient(t, hosts, { sessionTimeout: 9000 })
    const id = client.sessionId()
    await client.create('/moved', DATA, { ephemeral: true })
    const stopped = await serverOf(id)
    stopped.pause()
    try {
      const ms = await timed(eventually(() => states.at(-1), 'reconnected'))
      t.ok(ms < 9000, `moved after ${Math.round(ms)} ms`)
      t.comment(`moved to another server ${Math.round(ms)} ms after the stop, of a session of 9000 ms`)
      t.equal(client.sessionId(), id)
      t.equal((await seen(client, '/moved')).ephemeralOwner, id)
      const ms10 = await timed(Promise.all(Array.from({ length: 10 }, async () => await connectClient(t, hosts))))
      t.comment(`ten clients connected within ${Math.round(ms10)} ms`)
      t.ok(ms10 < 10_000)
    } finally {
      stopped.resume()
    }
    t.notOk(states.includes('lost'))
  })

  t.test('a killed server – its clients keep their sessions', async (t) => {
    const { client, states } = await connectClient(t, hosts, { sessionTimeout: 15_000 })
    const id = client.sessionId()
    await client.create('/kept', DATA, { ephemeral: true })
    const killed = await serverOf(id)
    await killed.kill()
    const ms = await timed(eventually(() => states.at(-1), 'reconnected'))
    t.comment(`on another server ${Math.round(ms)} ms after the kill`)
    t.equal(client.sessionId(), id)
    t.equal((await seen(client, '/kept')).ephemeralOwner, id)
    await killed.restart({ keepsData: true })
    t.notOk(states.includes('lost'))
    t.equal(states.filter((state) => state === 'connected').length, 1)
  })

  t.test('a server without a quorum – is not read from', async (t) => {
    const { client, states } = await connectClient(t, hosts)
    const [first, second] = servers
    await Promise.all([first?.kill(), second?.kill()])
    await until(() => states.includes('lost'))
    t.equal(client.state(), 'lost')
    await t.rejects(client.get('/'), { code: 'CONNECTION_LOSS' })
    await first?.restart({ keepsData: true })
    await eventually(() => states.at(-1), 'connected')
    t.ok(await seen(client, '/'))
  })
})

t.test('abandoned requests – all failures are handled', async (t) => {
  t.strictSame(unhandled, [])
})
