import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { WebSocket } from 'ws'
import { testFrames } from './foreign-frames.js'
import { testResets, withoutProc } from './foreign-resets.js'
import {
  ID, isAdmitted, PATIENCE, run, settingsOf, sign, SIGNING, startNode, withoutNode, withoutProgram
} from './foreign-node.js'
import { incarnationIn } from './foreign-stores.js'
import { checkNode, startToxicProxy } from '../../lib/testing/index.js'
import { stepsFor } from '../../lib/testing/conformance/rules/index.js'
import { ROOT } from '../support/doc-blocks.js'
import { findFreePort } from '../support/redis-server.js'
import { secondLook } from '../support/second-look.js'
import { until } from '../support/until.js'
import { connectClient } from '../support/zookeeper-client.js'
import { startEnsemble } from '../support/zookeeper-server.js'
import type { Test } from 'tap'
import type { ForeignNode } from './foreign-node.js'
import type { NodeReport, ToxicProxy } from '../../lib/testing/index.js'
import type { StoreName } from '../../lib/testing/conformance/store.js'
import type { ZooKeeperServer } from '../support/zookeeper-server.js'

/** With a shorter session, a client library may notice a silent server between two heartbeats. */
const SILENT_SESSION_MS = 6000
/** On ZooKeeper, a node does what the scripts do on Redis. */
const MAX_LINES: Record<StoreName, number> = { Redis: 600, ZooKeeper: 650 }
const CONTRACT = `${ROOT}docs/node-contract`

const vectors = JSON.parse(readFileSync(`${CONTRACT}/signatures.json`, 'utf8'))

/**
 * Holds that the node is short, and keeps the rules of the contract.
 *
 * @param options.only ids of the rules that are checked; left out: all
 */
export function testForeignNode (node: ForeignNode, { only }: { only?: string[] } = {}): void {
  const { folder } = node
  const skip = withoutProgram(node)
  const maxLines = MAX_LINES[node.store.name]
  // Most of a check is waiting.
  t.jobs = 2

  t.test(`${folder} – its sources – have fewer than ${maxLines} lines of code`, async (t) => {
    const lines = linesOfCode(node)
    t.ok(lines > 0 && lines < maxLines, `${lines} lines`)
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

  t.test(`${folder} – its connections`, { skip: withoutNode(node) }, async (t) => {
    const started = await startNode(t, node)
    await t.test('frames of every kind – are passed on, or end their own connection only', async (t) => {
      await testFrames(t, started)
    })
    await t.test('clients that reset their connections – leave nothing behind', { skip: withoutProc }, async (t) => {
      await testResets(t, started)
    })
  })
}

/** Holds that the node keeps these rules; `only` left out: all. */
export function testRules (node: ForeignNode, { only }: { only?: string[] | undefined } = {}): void {
  const { folder, store } = node
  const ids = only ?? stepsFor(store.name).flatMap(({ rules }) => rules.map(({ id }) => id))
  t.test(`${folder} – checked against the contract – keeps ${only === undefined ? 'every rule' : `${only.length} rules`}`, {
    skip: withoutNode(node), timeout: 280_000
  }, async (t) => {
    const { rules, passed } = await secondLook(async (again = only) => await check(t, node, again))
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
