import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pauseProcess } from './pause-process.js'
import { skipWithout } from './skip-reason.js'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

const BOOT_TRIES = 5
const BOOT_MS = 5000

/** Value for the `skip` of tap. */
export const withoutRedis = skipWithout('redis-server')

export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Pauses by SIGSTOP: connections stay open, and nothing is answered. */
  pause (): void
  resume (): void
  kill (): Promise<void>
  /** Restarts on the same port, empty; with `keepsData`, with the data written to its disk. */
  restart (options?: { keepsData?: boolean }): Promise<void>
}

/** Starts a real Redis on a free loopback port, stopped with the test. */
export async function startRedis (t: Test, ...args: string[]): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-cobrowse-redis-'))
  let child: ChildProcess | undefined
  t.teardown(async () => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  })

  async function boot (port: number): Promise<boolean> {
    child = spawn('redis-server', [
      '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, ...args
    ], { stdio: 'ignore' })
    child.on('error', () => {})
    const giveUpAt = performance.now() + BOOT_MS
    while (child.exitCode === null && child.pid !== undefined && performance.now() < giveUpAt) {
      if (await answers(port)) return true
      await sleep(10)
    }
    await end(child)
    return false
  }

  // Another process may take the free port between its choice and its use.
  let port = 0
  for (let left = BOOT_TRIES; ; left--) {
    port = await findFreePort()
    if (await boot(port)) break
    if (left === 1) throw new Error('redis-server did not start')
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid () {
      return child?.pid ?? 0
    },
    pause: () => { if (child?.pid !== undefined) pauseProcess(child.pid) },
    resume: () => { child?.kill('SIGCONT') },
    kill: async () => await end(child),
    async restart ({ keepsData = false } = {}) {
      await end(child)
      if (!keepsData) for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true })
      if (!await boot(port)) throw new Error('redis-server did not start again')
    }
  }
}

async function end (child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exited
}

async function answers (port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'))
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
  })
}

/** The port is outside the range that the system gives to clients, since one of them could take it during a restart. */
export async function findFreePort (): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await new Promise((resolve) => {
      server.once('listening', () => server.close(() => resolve(true)))
      server.once('error', () => resolve(false))
    })
    if (isFree) return port
  }
}
