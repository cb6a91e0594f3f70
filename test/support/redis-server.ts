import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipWithout } from './skip-reason.js'
import type { ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

const BOOT_TRIES = 5
const BOOT_MS = 5000

/** For tap's `skip`. */
export const withoutRedis = skipWithout('redis-server')

export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** SIGSTOP: connections stay open, and nothing is answered. */
  pause (): void
  resume (): void
  kill (): Promise<void>
  /** On the same port, with nothing in it. */
  restart (): Promise<void>
}

/** A real Redis on a free loopback port, ended with the test. */
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

  // A free port is found and used a moment later: another process may have been quicker.
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
    pause: () => { child?.kill('SIGSTOP') },
    resume: () => { child?.kill('SIGCONT') },
    kill: async () => await end(child),
    async restart () {
      await end(child)
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

export async function findFreePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
