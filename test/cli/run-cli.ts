import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { ROOT } from '../support/doc-blocks.js'
import type { Test } from 'tap'

export interface Outcome {
  code: number | null
  out: string
  errors: string
}

const WORKER = fileURLToPath(new URL('cli-worker.mjs', import.meta.url))

const { NODE_OPTIONS, ...INHERITED } = process.env

/** Runs the command of the package in a process of its own. */
export async function runCli (args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [`${ROOT}dist/lib/cli/main.js`, ...args], {
    cwd: ROOT, env: { ...INHERITED, ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  const texts = { out: '', errors: '' }
  child.stdout.on('data', (chunk: Buffer) => { texts.out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { texts.errors += chunk.toString() })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...texts }
}

/** Returns a way to run the command many times, one after the other, in one process that ends with the test. */
export function openCli (t: Test, env: Record<string, string> = {}): (...args: string[]) => Promise<Outcome> {
  const child = fork(WORKER, { cwd: ROOT, env: { ...INHERITED, ...env }, execArgv: [] })
  t.teardown(() => child.kill('SIGKILL'))
  return async (...args) => {
    const answered = once(child, 'message')
    child.send(args)
    const [outcome] = await answered as [Outcome]
    return outcome
  }
}
