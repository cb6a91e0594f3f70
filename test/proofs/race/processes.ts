import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'
import type { Test } from 'tap'

/** Starts processes, and ends them with the test in any case. */
export interface Processes {
  /** Resolves with the first message of the process as well. */
  start (script: string, config: object): Promise<{ child: ChildProcess, message: unknown }>
  /** Watches a process that was started elsewhere, so that the guard can end it if we cannot. */
  watch (pid: number): void
  end (): Promise<void>
}

/** Options for many processes on few cores: short-lived objects are collected rarely. */
const ARGS = ['--max-semi-space-size=32']

const pathOf = (script: string) => fileURLToPath(new URL(script, import.meta.url))

export function createProcesses (t: Test): Processes {
  const children = new Set<ChildProcess>()
  // The guard has its own group, so that it survives whatever ends ours.
  const guard = spawn(process.execPath, [pathOf('guard.mjs')], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const tell = (sign: '+' | '-', pid: number | undefined) => { if (pid !== undefined) guard.stdin.write(`${sign}${pid}\n`) }
  guard.stdin.on('error', () => {})
  t.teardown(async () => {
    await end()
    guard.stdin.end()
  })

  async function end (): Promise<void> {
    await Promise.all([...children].map(async (child) => {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }))
  }

  return {
    async start (script, config) {
      // The loader and the coverage of the tests are left out, since they would cost each process seconds.
      const child = fork(pathOf(script), [JSON.stringify(config)], { execArgv: ARGS, env: { PATH: process.env.PATH } })
      children.add(child)
      tell('+', child.pid)
      child.once('exit', () => {
        children.delete(child)
        tell('-', child.pid)
      })
      const [message] = await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => { throw new Error(`${script} ended before it was ready`) })
      ])
      return { child, message }
    },
    watch: (pid) => tell('+', pid),
    end
  }
}
