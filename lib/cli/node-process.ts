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

export interface NodeProcessOptions {
  /** Stops the node. */
  signal: NodeJS.Signals
  env: NodeJS.ProcessEnv
  /** Called with the signal or the exit code if the node ends without being stopped. */
  onEnd (reason: string): void
}

/**
 * Runs the command line in a shell and in a process group of its own, so that a signal reaches the node behind a
 * wrapper too. Its output goes to the standard error of this process.
 */
export function createNodeProcess (
  commandLine: string, { signal, env, onEnd }: NodeProcessOptions
): NodeProcess {
  let child: ChildProcess | undefined
  let isStopping = false
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
      isStopping = false
      const started = spawn(commandLine, { shell: true, detached: true, stdio: ['ignore', 2, 2], env })
      child = started
      exited = new Promise((resolve) => {
        started.once('error', () => resolve())
        started.once('exit', (code, endedBy) => {
          if (!isStopping) onEnd(endedBy ?? `exit code ${code}`)
          resolve()
        })
      })
    },
    async stop () {
      isStopping = true
      kill(signal)
      await exited
    },
    async end () {
      isStopping = true
      kill(signal)
      const timer = setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS)
      await exited
      clearTimeout(timer)
    }
  }
}
