import t from 'tap'
import { systemClock } from '../../lib/common/clock.js'
import { authRetryMs, backOffMs, connectMs } from '../../lib/zookeeper-client/back-off.js'
import { createFrameReader } from '../../lib/zookeeper-client/frames.js'
import { parseHosts } from '../../lib/zookeeper-client/hosts.js'
import { assertInternals, assertPackage, zookeeper } from '../../lib/zookeeper-client/package.js'
import { grant, reply, startFakeZooKeeper } from '../support/fake-zookeeper.js'
import { until } from '../support/until.js'
import { connectClient, startClient } from '../support/zookeeper-client.js'
import { frame } from '../support/zookeeper-session.js'
import type { Clock } from '../../lib/common/clock.js'

const NO_NODE = -101
const AUTH_FAILED = -115
const EXISTS = 3
const GET_DATA = 4
const MiB = 1024 * 1024

const lengthOf = (bytes: number) => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes)
  return length
}

t.test('a version of the package without the required internals – is rejected by name', async (t) => {
  assertPackage()
  const manager = {
    connect () {},
    findNextServer () {},
    onSocketData () {},
    sessionId: Buffer.alloc(8),
    sessionPassword: Buffer.alloc(16),
    sessionTimeout: 1,
    zxid: Buffer.alloc(8),
    connectTimeoutHandler: null
  }
  const transaction = () => zookeeper().createClient('unused', { sessionTimeout: 1, retries: 0 }).transaction()
  assertInternals({ connectionManager: manager, transaction })
  const says = (member: string) => ({ message: `node-zookeeper-client 1.1.3 has no ${member}, which 1.1.3 had` })
  for (const name of Object.keys(manager)) {
    const connectionManager = { ...manager, [name]: undefined }
    t.throws(() => assertInternals({ connectionManager, transaction }), says(`connectionManager.${name}`))
  }
  t.throws(() => assertInternals({ connectionManager: manager }), says('transaction().ops'))
  t.throws(() => assertInternals({}), says('connectionManager.connect'))
})

t.test('hosts – are a list of servers and a path', async (t) => {
  t.strictSame(parseHosts('a:1,b.example, [::1]:3,c/root/x'), {
    servers: [{ host: 'a', port: 1 }, { host: 'b.example', port: 2181 }, { host: '::1', port: 3 }, { host: 'c', port: 2181 }],
    chroot: '/root/x'
  })
  t.equal(parseHosts('a/').chroot, '')
  for (const hosts of ['', ',', 'a,', ':1', 'a:0', 'a:65536', 'a:b', 'a b', '::1', 'a/b/', 'a//b', 'u:p@a']) {
    t.throws(() => parseHosts(hosts), TypeError, hosts)
  }
})

t.test('frames – split at any byte – arrive whole', async (t) => {
  const sent = ['', 'a', 'bc'.repeat(40_000), 'd'].map((text) => frame(Buffer.from(text)))
  const bytes = Buffer.concat(sent)
  for (const size of [1, 3, 7, 1024, bytes.length]) {
    const read = createFrameReader()
    const frames: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) frames.push(...read(bytes.subarray(at, at + size)))
    t.strictSame(frames, sent)
  }
  t.throws(() => createFrameReader()(lengthOf(-1)), RangeError)
  t.throws(() => createFrameReader()(lengthOf(4 * MiB + 1)), RangeError)
})

t.test('waits – grow with each round up to a maximum, and are jittered', async (t) => {
  const most = [0, 1, 2, 3, 6, 9, 30, 3000].map((tries) => backOffMs(tries, 3, undefined, () => 1))
  t.strictSame(most, [50, 0, 0, 100, 200, 400, 2000, 2000])
  t.equal(backOffMs(30, 3, undefined, () => 0), 0)
  t.equal(backOffMs(30, 3, 1500, () => 1), 500)
  t.strictSame([authRetryMs(() => 0), authRetryMs(() => 1)], [4000, 6000])
  t.strictSame([connectMs(600, 3), connectMs(6000, 3), connectMs(60_000, 1)], [250, 6000 / 9, 2000])
})

const refusals: Record<string, Buffer> = {
  'a short connect reply': frame(Buffer.alloc(8)),
  'an empty connect reply': frame(Buffer.alloc(0)),
  'a connect reply without a password': frame(Buffer.concat([lengthOf(0), lengthOf(2000), Buffer.alloc(12)])),
  'a connect reply with a password of 2 GB': frame(Buffer.concat([lengthOf(0), lengthOf(2000), Buffer.alloc(8), lengthOf(2 ** 31 - 1)])),
  'a negative length': lengthOf(-5),
  'a length of 2 GB': Buffer.concat([lengthOf(2 ** 31 - 1), Buffer.alloc(MiB)]),
  garbage: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
}

for (const [what, bytes] of Object.entries(refusals)) {
  t.test(`${what} – costs the connection, and other servers answer`, async (t) => {
    const server = await startFakeZooKeeper(t, { connect: (socket) => socket.write(bytes) })
    const { client, states } = startClient(t, server.hosts)
    await until(() => server.accepted >= 3)
    t.strictSame(states, [])
    t.equal(client.reason(), 'ZooKeeper sent what is no answer')
    await t.rejects(client.get('/'), { code: 'CONNECTION_LOSS', message: 'ZooKeeper sent what is no answer' })
  })
}

const answers: Record<string, (xid: number) => Buffer> = {
  'an answer without a request': (xid) => reply(xid + 7, NO_NODE),
  'an answer without a header': () => frame(Buffer.alloc(3)),
  'an answer that ends early': (xid) => reply(xid, 0, lengthOf(10)),
  'an answer with data of 2 GB': (xid) => reply(xid, 0, lengthOf(2 ** 31 - 1)),
  'an answer with an unknown error': (xid) => reply(xid, -999),
  'an event of an unknown type': () => reply(-1, 0, Buffer.concat([lengthOf(77), lengthOf(3), lengthOf(0)])),
  'a frame of a negative length': () => lengthOf(-1),
  'a frame of 2 GB': () => lengthOf(2 ** 31 - 1)
}

for (const [what, answer] of Object.entries(answers)) {
  t.test(`${what} – costs the connection and its pending requests, not the session`, async (t) => {
    const server = await startFakeZooKeeper(t, {
      connect: (socket) => socket.write(grant(2000)),
      request (socket, { xid, type }) {
        if (type === EXISTS) socket.write(reply(xid, NO_NODE))
        if (type === GET_DATA) socket.write(answer(xid))
      }
    })
    const { client, states } = await connectClient(t, server.hosts)
    const calls = await Promise.allSettled([client.get('/a'), client.children('/b'), client.exists('/c')])
    t.match(calls.slice(0, 2), [{ reason: { code: 'CONNECTION_LOSS' } }, { reason: { code: 'CONNECTION_LOSS' } }])
    await until(() => states.includes('reconnected'))
    t.strictSame(states, ['connected', 'suspended', 'reconnected'])
  })
}

t.test('a truncated frame – is forgotten with its connection', async (t) => {
  let turn = 0
  const server = await startFakeZooKeeper(t, {
    connect (socket) {
      if (turn++ % 2 === 0) socket.end(grant(2000).subarray(0, 20))
      else socket.write(grant(2000))
    },
    request (socket, { xid, type }) {
      if (type === GET_DATA) socket.end(reply(xid, 0, Buffer.alloc(80)).subarray(0, 30))
      else socket.write(reply(xid, NO_NODE))
    }
  })
  const { client, states } = await connectClient(t, server.hosts)
  await t.rejects(client.get('/'), { code: 'CONNECTION_LOSS', message: 'the server closed the connection' })
  await until(() => states.includes('reconnected'))
  t.equal(await client.exists('/'), undefined)
})

t.test('a frame of 2 GB that keeps arriving – takes no memory', async (t) => {
  const chunk = Buffer.alloc(MiB)
  let taken = 0
  const server = await startFakeZooKeeper(t, {
    connect (socket) {
      socket.write(lengthOf(2 ** 31 - 1))
      const more = () => { while (!socket.destroyed && socket.write(chunk, () => { taken++ })); }
      socket.on('drain', more)
      more()
    }
  })
  startClient(t, server.hosts)
  await until(() => server.accepted >= 3)
  t.ok(taken <= 8 * server.accepted, `${taken} MiB on ${server.accepted} connections`)
})

t.test('rejected credentials – are tried again after a while, and reported', async (t) => {
  const waits: number[] = []
  // Advances only the timer of the retry.
  const clock: Clock = {
    ...systemClock,
    after (ms, ring) {
      if (ms < 3500) return systemClock.after(ms, ring)
      waits.push(ms)
      return systemClock.after(10, ring)
    }
  }
  const server = await startFakeZooKeeper(t, {
    connect (socket) {
      socket.write(grant(2000))
      socket.end(reply(-4, AUTH_FAILED))
    }
  })
  const { client, states } = startClient(t, server.hosts, { auth: 'cobrowse:secret', clock })
  await until(() => server.accepted >= 3)
  t.ok(waits.length >= 2 && waits.every((ms) => ms >= 4000 && ms <= 6000))
  t.equal(client.reason(), 'ZooKeeper refuses the credentials')
  await t.rejects(client.get('/'), { code: 'AUTH_FAILED' })
  t.strictSame(states, [])
})

t.test('a new session that is rejected – is tried again with growing waits', async (t) => {
  const server = await startFakeZooKeeper(t, { connect: (socket) => socket.end(grant(0)) })
  const { states } = startClient(t, server.hosts)
  const startedAt = performance.now()
  await until(() => server.accepted >= 4)
  const seconds = (performance.now() - startedAt) / 1000
  t.ok(server.accepted < 10 + 10 * seconds, 'no loop without waits')
  t.strictSame(states, [])
})
