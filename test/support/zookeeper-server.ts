import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pauseProcess } from './pause-process.js'
import { findFreePort } from './redis-server.js'
import { skipWithout } from './skip-reason.js'
import { endSession } from './zookeeper-session.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

const BOOT_TRIES = 5
const BOOT_MS = 20_000

/** Paths of Debian's packages; the manifest of the first names the others. */
const JARS = ['zookeeper', 'slf4j-log4j12', 'log4j-1.2'].map((name) => `/usr/share/java/${name}.jar`)

/** Value for the `skip` of tap. */
export const withoutZooKeeper = skipWithout('java') || (
  existsSync('/usr/share/java/zookeeper.jar') || process.env.CI === 'true' ? false : 'zookeeper is not installed'
)

export interface ZooKeeperServer {
  readonly port: number
  readonly hosts: string
  readonly pid: number
  /** Pauses by SIGSTOP: connections stay open, and nothing is answered. */
  pause (): void
  resume (): void
  kill (): Promise<void>
  /** Restarts on the same port, empty; with `keepsData`, with the data on its disk, sessions included. */
  restart (options?: { keepsData?: boolean }): Promise<void>
  isLeader (): Promise<boolean>
  /** True if a client is connected to this server. */
  serves (sessionId: string | undefined): Promise<boolean>
  /** Ends a client's session as if it had timed out. */
  expire (sessionId: string | undefined): Promise<void>
}

export interface ZooKeeperEnsemble {
  readonly servers: ZooKeeperServer[]
  readonly hosts: string
}

export interface ServerSettings {
  /** Lines of the configuration. */
  config?: string[]
  /** Options of Java. */
  properties?: string[]
}

/**
 * Starts a real ZooKeeper on a free loopback port, stopped with the test. Sessions of 400 to 20,000 ms are possible.
 */
export async function startZooKeeper (t: Test, settings: ServerSettings = {}): Promise<ZooKeeperServer> {
  for (let left = BOOT_TRIES; ; left--) {
    const server = makeServer(t, await findFreePort(), settings)
    if (await server.boot()) return server
    if (left === 1) throw new Error('ZooKeeper did not start')
  }
}

/** Starts an ensemble of so many servers. */
export async function startEnsemble (t: Test, size: number, settings: ServerSettings = {}): Promise<ZooKeeperEnsemble> {
  for (let left = BOOT_TRIES; ; left--) {
    const peers: string[] = []
    for (let id = 1; id <= size; id++) {
      peers.push(`server.${id}=127.0.0.1:${await findFreePort()}:${await findFreePort()}`)
    }
    const config = [...settings.config ?? [], ...peers, 'standaloneEnabled=false', 'initLimit=50', 'syncLimit=10']
    const servers = []
    for (let id = 1; id <= size; id++) servers.push(makeServer(t, await findFreePort(), { ...settings, config }, id))
    const booted = await Promise.all(servers.map(async (server) => await server.boot()))
    if (booted.every(Boolean)) return { servers, hosts: servers.map(({ hosts }) => hosts).join(',') }
    await Promise.all(servers.map(async (server) => await server.kill()))
    if (left === 1) throw new Error('the ensemble did not start')
  }
}

function makeServer (t: Test, port: number, settings: ServerSettings, id?: number) {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-zookeeper-'))
  const config = join(folder, 'zoo.cfg')
  const data = join(folder, 'data')
  let child: ChildProcess | undefined
  t.teardown(async () => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(config, [
    `dataDir=${data}`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1', 'tickTime=200',
    'minSessionTimeout=400', 'maxSessionTimeout=20000', 'maxClientCnxns=0', 'admin.enableServer=false',
    '4lw.commands.whitelist=*', 'forceSync=no', 'preAllocSize=1024', ...settings.config ?? []
  ].join('\n'))

  async function boot (): Promise<boolean> {
    mkdirSync(data, { recursive: true })
    if (id !== undefined) writeFileSync(join(data, 'myid'), String(id))
    child = spawn('java', [
      '-Xmx128m', '-Xshare:auto', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...settings.properties ?? [],
      '-cp', JARS.join(':'), 'org.apache.zookeeper.server.quorum.QuorumPeerMain', config
    ], { stdio: 'ignore' })
    child.on('error', () => {})
    const giveUpAt = performance.now() + BOOT_MS
    while (child.exitCode === null && child.pid !== undefined && performance.now() < giveUpAt) {
      if ((await ask(port, 'srvr')).includes('Mode:')) return true
      await sleep(20)
    }
    await end(child)
    return false
  }

  return {
    port,
    hosts: `127.0.0.1:${port}`,
    get pid () {
      return child?.pid ?? 0
    },
    boot,
    pause: () => { if (child?.pid !== undefined) pauseProcess(child.pid) },
    resume: () => { child?.kill('SIGCONT') },
    kill: async () => await end(child),
    async restart ({ keepsData = false } = {}) {
      await end(child)
      if (!keepsData) rmSync(data, { recursive: true })
      // It was seen once to end at once after a kill during an election.
      for (let left = BOOT_TRIES; !await boot(); left--) {
        if (left === 1) throw new Error('ZooKeeper did not start again')
      }
    },
    isLeader: async () => /Mode: (leader|standalone)/.test(await ask(port, 'srvr')),
    serves: async (sessionId: string | undefined) => (await ask(port, 'cons')).includes(`sid=0x${withoutZeros(sessionId)},`),
    expire: async (sessionId: string | undefined) => await endSession(port, sessionId ?? '')
  }
}

function withoutZeros (sessionId = '0'): string {
  return BigInt(`0x${sessionId}`).toString(16)
}

async function end (child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

/** @returns the answer to a four-letter word; empty if the server does not answer within a second */
async function ask (port: number, word: string): Promise<string> {
  return await new Promise((resolve) => {
    let said = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(word))
    socket.setTimeout(1000, () => socket.destroy())
    socket.on('data', (data) => { said += data.toString() })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
  })
}
