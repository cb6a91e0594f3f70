import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

const KILL_AFTER_MS = 10_000

/** A relay node that the command starts and stops. */
export interface NodeProcess {
  start (): void
  /** Sends the signal, and waits until the node has ended. */
  stop (): Promise<void>
  /** Ends the node, if need be by SIGKILL. */
  end (): Promise<void>
}

/**
 * Runs the command line in a shell and in a process group of its own, so that a signal reaches the node behind a
 * wrapper too. Its output goes to the standard error of this process.
 */
export function createNodeProcess (
  commandLine: string, { signal, env }: { signal: NodeJS.Signals, env: NodeJS.ProcessEnv }
): NodeProcess {
  let child: ChildProcess | undefined
  let exited: Promise<void> = Promise.resolve()

  const isRunning = () => child?.pid !== undefined && child.exitCode === null && child.signalCode === null

  function kill (signal: NodeJS.Signals): void {
    if (!isRunning() || child?.pid === undefined) return
    try {
      process.kill(-child.pid, signal)
    } catch (error) {
      // It ended just now.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  return {
    start () {
      const started = spawn(commandLine, { shell: true, detached: true, stdio: ['ignore', 2, 2], env })
      child = started
      exited = new Promise((resolve) => {
        started.once('error', () => resolve())
        started.once('exit', () => resolve())
      })
    },
    async stop () {
      kill(signal)
      await exited
    },
    async end () {
      kill(signal)
      const timer = setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS)
      await exited
      clearTimeout(timer)
    }
  }
}
