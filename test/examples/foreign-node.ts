import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { issuerWith } from '../support/issuer.js'
import { startToxicProxy } from '../../lib/testing/index.js'
import { ROOT } from '../support/doc-blocks.js'
import { findFreePort } from '../support/redis-server.js'
import { skipWithout } from '../support/skip-reason.js'
import { until } from '../support/until.js'
import type { Test } from 'tap'
import type { CheckNodeOptions } from '../../lib/testing/index.js'
import type { StoreName } from '../../lib/testing/conformance/store.js'
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

export interface StartedStore {
  port: number
  /** Options of the check. */
  options: Partial<CheckNodeOptions>
  /** Variables that tell the node the port of the proxy, and the times. */
  env (port: number): Record<string, string>
  /** Incarnation that is registered. */
  incarnation (): Promise<string>
}

export const ID = 'node-1'
const SECRET = 's'.repeat(32)
export const SIGNING = { keys: [{ id: 'k', secret: SECRET }], ttl: 4, skew: 2 }
/** A lease that a busy machine keeps, and a linger that outlives the signatures. */
export const TIMES = { lease: 2400, heartbeat: 400, linger: 6 }
export const PATIENCE = 500

const { NODE_OPTIONS, ...INHERITED } = process.env
const issue = issuerWith(SIGNING)

export function run ({ folder, program, env: own }: ForeignNode, args: string[], env: Record<string, string>) {
  const child = spawn(program, args, {
    cwd: `${ROOT}examples/${folder}`, env: { ...INHERITED, PYTHONDONTWRITEBYTECODE: '1', ...own, ...env }
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output: () => text, exited }
}

/** Value for the `skip` of tap if the program cannot run. */
export const withoutProgram = ({ needs, without = false }: ForeignNode): string | false => skipWithout(needs) || without

/** Value for the `skip` of tap if the program or its store cannot run. */
export const withoutNode = (node: ForeignNode): string | false => withoutProgram(node) || node.store.without

export function settingsOf (port: number): Record<string, string> {
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

export function sign (incarnation: string, role: Role): string {
  const ticket = { node: { id: ID, incarnation }, issuedAt: Date.now() }
  return issue({ tenant: 't', room: 'r', user: role, name: role, role, ...ticket })
}

export const connect = (port: number, signature: string): WebSocket =>
  new WebSocket(`ws://127.0.0.1:${port}/ws/cobrowse/1`, ['cobrowse.v1', signature])

/** A node reads the messages of a client, pings too, once it has admitted the client. */
export async function isAdmitted (port: number, signature: string): Promise<boolean> {
  const socket = connect(port, signature)
  socket.on('open', () => socket.ping())
  const isAnswered = await Promise.race([once(socket, 'pong').then(() => true), once(socket, 'close').then(() => false)])
  socket.terminate()
  return isAnswered
}

/** Starts the node on a store of its own, behind a proxy. */
export async function startNode (t: Test, node: ForeignNode) {
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
  return { store, proxy, port, start, stop, pid: () => running?.child.pid, output: () => running?.output() }
}
