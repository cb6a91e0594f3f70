import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import t from 'tap'
import { WebSocket } from 'ws'
import { issuerWith } from '../support/issuer.js'
import { checkNode, startToxicProxy } from '../../lib/testing/index.js'
import { stepsFor } from '../../lib/testing/conformance/rules/index.js'
import { ROOT } from '../support/doc-blocks.js'
import { skipSettling } from '../support/redis-registry.js'
import { findFreePort, startRedis, withoutRedis } from '../support/redis-server.js'
import { skipWithout } from '../support/skip-reason.js'
import { until } from '../support/until.js'
import { connectClient } from '../support/zookeeper-client.js'
import { startEnsemble, startZooKeeper, withoutZooKeeper } from '../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { CheckNodeOptions, NodeReport, ToxicProxy } from '../../lib/testing/index.js'
import type { StoreName } from '../../lib/testing/conformance/store.js'
import type { MortalClient } from '../../lib/zookeeper-client/client.js'
import type { ZooKeeperServer } from '../support/zookeeper-server.js'
import type { Role } from '../../types/role.js'

/** A reference node in another language. */
export interface ForeignNode {
  /** Below examples. */
  folder: string
  /** How its sources end. */
  ending: string
  /** Program that has to be installed. */
  needs: string
  /** Program that runs it. */
  program: string
  /** The store of the registry. */
  store: ForeignStore
  /** Environment of the program. */
  env?: Record<string, string>
  /** Value for the `skip` of tap if a library is missing. */
  without?: string | false
  /** Returns the arguments of the program. */
  build (t: Test): Promise<string[]>
}

export interface ForeignStore {
  name: StoreName
  /** Value for the `skip` of tap. */
  without: string | false
  start (t: Test): Promise<StartedStore>
}

interface StartedStore {
  port: number
  /** Options of the check. */
  options: Partial<CheckNodeOptions>
  /** Variables that tell the node the port of the proxy, and the times. */
  env (port: number): Record<string, string>
  /** Incarnation that is registered. */
  incarnation (): Promise<string>
}

export const onRedis: ForeignStore = {
  name: 'Redis',
  without: withoutRedis,
  async start (t) {
    const { port } = await startRedis(t)
    const redis = new Redis(port, '127.0.0.1')
    t.teardown(() => redis.disconnect())
    await skipSettling(redis)
    return {
      port,
      options: { redis, ...TIMES },
      env: (proxyPort) => ({
        REDIS_URL: `redis://127.0.0.1:${proxyPort}`, LEASE: String(TIMES.lease), HEARTBEAT: String(TIMES.heartbeat)
      }),
      incarnation: async () => String(await redis.hget('{cobrowse}:ids', ID)).split('|')[0] ?? ''
    }
  }
}

export const onZooKeeper: ForeignStore = {
  name: 'ZooKeeper',
  without: withoutZooKeeper,
  async start (t) {
    const { port, hosts } = await startZooKeeper(t)
    const { client } = await connectClient(t, hosts)
    return {
      port,
      options: { zookeeper: hosts, lease: SESSION_MS, linger: TIMES.linger },
      env: (proxyPort) => ({ ZOOKEEPER: `127.0.0.1:${proxyPort}`, SESSION: String(SESSION_MS) }),
      incarnation: async () => await incarnationIn(client)
    }
  }
}

const ID = 'node-1'
const SECRET = 's'.repeat(32)
const SIGNING = { keys: [{ id: 'k', secret: SECRET }], ttl: 4, skew: 2 }
/** A lease that a busy machine keeps, and a linger that outlives the signatures. */
const TIMES = { lease: 2400, heartbeat: 400, linger: 6 }
/** A session that a busy machine keeps. */
const SESSION_MS = 3600
/** With a shorter session, a client library may notice a silent server between two heartbeats. */
const SILENT_SESSION_MS = 6000
const PATIENCE = 500
const MAX_LINES = 650
const MEBIBYTE = 1024 * 1024
const HELLO = 'hello'
const CONTRACT = `${ROOT}docs/node-contract`

const { NODE_OPTIONS, ...INHERITED } = process.env
const issue = issuerWith(SIGNING)
const vectors = JSON.parse(readFileSync(`${CONTRACT}/signatures.json`, 'utf8'))

/**
 * Holds that the node is short, and keeps the rules of the contract.
 *
 * @param options.only ids of the rules that are checked; left out: all
 */
export function testForeignNode (node: ForeignNode, { only }: { only?: string[] } = {}): void {
  const { folder } = node
  const skip = withoutProgram(node)
  // Most of a check is waiting.
  t.jobs = 2

  t.test(`${folder} – its sources – have fewer than ${MAX_LINES} lines of code`, async (t) => {
    const lines = linesOfCode(node)
    t.ok(lines > 0 && lines < MAX_LINES, `${lines} lines`)
  })

  t.test(`${folder} – the vectors of signatures – are judged as they say`, { skip }, async (t) => {
    const { now, ttl, skew, keys: [first, other], node: { id, incarnation }, vectors: signatures } = vectors
    const { child, output, exited } = run(node, [...await node.build(t), '--verify'], {
      COBROWSE_KEY_ID: first.id,
      COBROWSE_KEY: first.secret,
      COBROWSE_OTHER_KEYS: JSON.stringify({ [other.id]: other.secret }),
      NODE_ID: id,
      TTL: String(ttl),
      SKEW: String(skew)
    })
    child.stdin.end([`${now} ${incarnation}`, ...signatures.map(({ signature }: Vector) => signature), ''].join('\n'))
    t.equal(await exited, 0)
    const words = output().trimEnd().split('\n').map((line) => line.replace(/:.*/, ''))
    const judged = signatures.map(({ name }: Vector, at: number) => [name, words[at]])
    t.strictSame(judged, signatures.map((vector: Vector) => [vector.name, expectedWord(vector)]))
  })

  testRules(node, { only })

  t.test(`${folder} – frames of every kind – are passed on, or end their own connection only`, {
    skip: withoutNode(node)
  }, async (t) => await testFrames(t, await startNode(t, node)))
}

/** Holds that the node keeps these rules; `only` left out: all. */
export function testRules (node: ForeignNode, { only }: { only?: string[] | undefined } = {}): void {
  const { folder, store } = node
  const ids = only ?? stepsFor(store.name).flatMap(({ rules }) => rules.map(({ id }) => id))
  t.test(`${folder} – checked against the contract – keeps ${only === undefined ? 'every rule' : `${only.length} rules`}`, {
    skip: withoutNode(node), timeout: 280_000
  }, async (t) => {
    const { rules, passed } = await check(t, node, only)
    t.strictSame(rules.filter(({ outcome, id }) => outcome !== 'kept' && ids.includes(id)), [])
    t.equal(rules.filter(({ outcome }) => outcome === 'kept').length, ids.length)
    t.ok(passed)
  })
}

/**
 * Holds that a node on ZooKeeper connects to another server of an ensemble if its own one falls silent, although the
 * connection stays open.
 */
export function testSilentServer (node: ForeignNode): void {
  t.test(`${node.folder} – its server falls silent – serves again with another one`, {
    skip: withoutNode(node)
  }, async (t) => {
    const { servers } = await startEnsemble(t, 3)
    const areLeaders = await Promise.all(servers.map(async (server) => await server.isLeader()))
    const ways = await startProxies(t, servers.filter((_, at) => !areLeaders[at]))
    const port = await findFreePort()
    const { child, output } = run(node, await node.build(t), {
      ...settingsOf(port),
      ZOOKEEPER: ways.map(({ proxy }) => `127.0.0.1:${proxy.port}`).join(','),
      SESSION: String(SILENT_SESSION_MS)
    })
    t.teardown(() => child.kill('SIGKILL'))
    await until(() => /is registered/.test(output()), 'the node registers')
    const isUsed = ({ proxy }: Way) => proxy.connections > 0
    const used = ways.find(isUsed)
    used?.server.pause()
    await until(() => ways.some((way) => way !== used && isUsed(way)), 'the node connects to the other server')
    const { client } = await connectClient(t, servers[areLeaders.indexOf(true)]?.hosts ?? '')
    const isServed = async () => await isAdmitted(port, sign(await incarnationIn(client), 'recorder'))
    await until(isServed, 'a client is admitted')
  })
}

interface Way {
  server: ZooKeeperServer
  proxy: ToxicProxy
}

async function startProxies (t: Test, servers: ZooKeeperServer[]): Promise<Way[]> {
  const ways = await Promise.all(servers.map(async (server) => ({ server, proxy: await startToxicProxy(server) })))
  t.teardown(async () => { for (const { proxy } of ways) await proxy.close() })
  return ways
}

interface Vector {
  name: string
  valid: boolean
  validJoinOnly?: boolean
  signature: string
}

function expectedWord ({ valid, validJoinOnly = false }: Vector): string {
  if (valid) return 'valid'
  return validJoinOnly ? 'join-only' : 'bad'
}

/** Without blank lines, comments, imports, and brackets that stand alone. */
function linesOfCode ({ folder, ending }: ForeignNode): number {
  const cwd = `${ROOT}examples/${folder}`
  const lines = readdirSync(cwd).filter((name) => name.endsWith(ending))
    .flatMap((name) => readFileSync(`${cwd}/${name}`, 'utf8').split('\n'))
  return lines.filter((line) => !/^\s*(?:$|#|"""|\/[/*]|\*|import |from |[\])}]+[,;]*$)/.test(line)).length
}

function run ({ folder, program, env: own }: ForeignNode, args: string[], env: Record<string, string>) {
  const child = spawn(program, args, {
    cwd: `${ROOT}examples/${folder}`, env: { ...INHERITED, PYTHONDONTWRITEBYTECODE: '1', ...own, ...env }
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output: () => text, exited }
}

/** Value for the `skip` of tap if the program cannot run. */
const withoutProgram = ({ needs, without = false }: ForeignNode): string | false => skipWithout(needs) || without

/** Value for the `skip` of tap if the program or its store cannot run. */
export const withoutNode = (node: ForeignNode): string | false => withoutProgram(node) || node.store.without

function settingsOf (port: number): Record<string, string> {
  return {
    PORT: String(port),
    NODE_ID: ID,
    COBROWSE_KEY_ID: 'k',
    COBROWSE_KEY: SECRET,
    DRAIN_DEADLINE: '0',
    LINGER: String(TIMES.linger * 1000),
    PATIENCE: String(PATIENCE),
    TTL: String(SIGNING.ttl),
    SKEW: String(SIGNING.skew)
  }
}

async function incarnationIn (client: MortalClient): Promise<string> {
  return String((await client.get(`/cobrowse/ids/${ID}~`))?.data)
}

function sign (incarnation: string, role: Role): string {
  const ticket = { node: { id: ID, incarnation }, issuedAt: Date.now() }
  return issue({ tenant: 't', room: 'r', user: role, name: role, role, ...ticket })
}

const connect = (port: number, signature: string): WebSocket =>
  new WebSocket(`ws://127.0.0.1:${port}/ws/cobrowse/1`, ['cobrowse.v1', signature])

/** A node reads the messages of a client, pings too, once it has admitted the client. */
async function isAdmitted (port: number, signature: string): Promise<boolean> {
  const socket = connect(port, signature)
  socket.on('open', () => socket.ping())
  const isAnswered = await Promise.race([once(socket, 'pong').then(() => true), once(socket, 'close').then(() => false)])
  socket.terminate()
  return isAnswered
}

/** Starts the node on a store of its own, behind a proxy. */
async function startNode (t: Test, node: ForeignNode) {
  const args = await node.build(t)
  const store = await node.store.start(t)
  const proxy = await startToxicProxy({ port: store.port })
  const port = await findFreePort()
  let running: ReturnType<typeof run> | undefined
  t.teardown(async () => {
    running?.child.kill('SIGKILL')
    await proxy.close()
  })

  async function start (): Promise<void> {
    const started = run(node, args, { ...settingsOf(port), ...store.env(proxy.port) })
    running = started
    await until(() => /is registered/.test(started.output()) || started.child.exitCode !== null, 'the node registers')
    if (started.child.exitCode !== null) throw new Error(`${node.folder} did not start: ${started.output()}`)
  }

  async function stop (): Promise<void> {
    running?.child.kill('SIGTERM')
    t.equal(await running?.exited, 0, 'the node ends by itself')
  }

  await start()
  return { store, proxy, port, start, stop, output: () => running?.output() }
}

async function check (t: Test, node: ForeignNode, only: string[] | undefined): Promise<NodeReport> {
  const { store, proxy, start, stop, output } = await startNode(t, node)
  return await checkNode({
    ...store.options,
    only,
    nodeId: ID,
    signing: SIGNING,
    patience: PATIENCE,
    WebSocket,
    cut: () => proxy.set('hang'),
    heal: () => proxy.set('pass'),
    drop: () => proxy.set('refuse'),
    start,
    stop,
    log: (line) => { if (!line.startsWith('kept')) t.comment(line, output()) }
  })
}

async function testFrames (t: Test, { store, port }: Awaited<ReturnType<typeof startNode>>): Promise<void> {
  async function open (role: Role) {
    const socket = connect(port, sign(await store.incarnation(), role))
    t.teardown(() => socket.terminate())
    const heard: Buffer[] = []
    let hasHeard = false
    socket.on('message', (data: Buffer) => {
      hasHeard = true
      if (String(data) !== HELLO) heard.push(data)
    })
    socket.on('error', () => {})
    const closed = once(socket, 'close').then(([code]) => code)
    await once(socket, 'open')
    return { socket, heard, closed, hasHeard: () => hasHeard }
  }

  const replayer = await open('replayer')
  const recorder = await open('recorder')
  const areTogether = (other: Awaited<ReturnType<typeof open>>) => {
    recorder.socket.send(HELLO)
    return other.hasHeard()
  }
  // Nothing else shows that a client is admitted.
  await until(() => areTogether(replayer), 'the first client is admitted')
  const messages = ['', 'short', 'é'.repeat(100), 'x'.repeat(70_000), Buffer.alloc(4 * MEBIBYTE, 7)]
  for (const message of messages) recorder.socket.send(message)
  for (const part of ['in ', 'three ']) recorder.socket.send(part, { fin: false })
  recorder.socket.ping('between')
  recorder.socket.send('parts')
  const [[pong]] = await Promise.all([
    once(recorder.socket, 'pong'), until(() => replayer.heard.length === messages.length + 1, 'all messages')
  ])
  t.equal(String(pong), 'between')
  t.strictSame(replayer.heard, [...messages, 'in three parts'].map((message) => Buffer.from(message)))

  const bad: Array<[string, number, (socket: WebSocket) => void]> = [
    ['a message that is too long', 1009, (socket) => socket.send(Buffer.alloc(4 * MEBIBYTE + 1))],
    ['a text that is not UTF-8', 1007, (socket) => socket.send(Buffer.from([0xC3]), { binary: false })],
    ['a frame without a mask', 1002, (socket) => socket.send('x', { mask: false })],
    ['a fragment without a beginning', 1002, (socket) => Reflect.get(socket, '_socket').write(Buffer.from([0x80, 0x80, 0, 0, 0, 0]))]
  ]
  for (const [what, code, send] of bad) {
    const client = await open('recorder')
    send(client.socket)
    t.equal(await client.closed, code, what)
  }

  const slow = await open('replayer')
  await until(() => areTogether(slow), 'the slow client is admitted')
  slow.socket.pause()
  for (let sent = 0; sent < 12; sent++) {
    const before = replayer.heard.length
    recorder.socket.send(messages[4] ?? '')
    await until(() => replayer.heard.length > before, 'the other client hears it')
  }
  slow.socket.resume()
  t.not(await slow.closed, 1000, 'a client that reads too slowly is disconnected')

  replayer.socket.close(1000)
  t.equal(await replayer.closed, 1000, 'a close is answered')
}
