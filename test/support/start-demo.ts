import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { until } from './until.js'
import type { Test } from 'tap'

export const START = fileURLToPath(new URL('../../demo/start.mjs', import.meta.url))
export const MAIN = fileURLToPath(new URL('../../dist/demo/server.js', import.meta.url))

/** Time limit that covers an install and a build on a busy machine. */
const BOOT_MS = 120_000

export interface RunningDemo {
  base: string
  /** Output of both streams. */
  output (): string
  /** Sends a signal and waits for the exit code. */
  stop (signal?: NodeJS.Signals): Promise<number | null>
}

/**
 * Starts the standalone server in a process of its own on a free port, stopped at the end of the test.
 *
 * @param script script of `npm start`; by default the server as built before the tests
 */
export async function startDemo (t: Test, env: Record<string, string> = {}, script = MAIN): Promise<RunningDemo> {
  const { child, output, exited } = runDemo(env, script)
  t.teardown(() => child.kill('SIGKILL'))
  await until(() => /listens on (\S+)[^]*\n$/.test(output()) || child.exitCode !== null, 'the demo to listen', BOOT_MS)
  const base = /listens on (\S+)/.exec(output())?.[1]
  if (base === undefined) throw new Error(`the demo did not start: ${output()}`)
  return {
    base,
    output,
    async stop (signal = 'SIGTERM') {
      child.kill(signal)
      return await exited
    }
  }
}

/** Starts one server for all tests of a file that leave it as it was. @param t test of the whole file */
export function shareDemo (t: Test, env: Record<string, string> = {}): () => Promise<RunningDemo> {
  let started: Promise<RunningDemo> | undefined
  return async () => await (started ??= startDemo(t, env))
}

/** Starts the server without waiting for it to listen. */
export function runDemo (env: Record<string, string>, script = MAIN) {
  // The loader of tap slows a child process down, and the demo has to run without it.
  const { NODE_OPTIONS, ...inherited } = process.env
  const child = spawn(process.execPath, [script], {
    env: { ...inherited, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe']
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { text += chunk.toString() })
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output: () => text, exited }
}
