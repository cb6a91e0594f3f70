import { readdirSync, readFileSync } from 'node:fs'

const PATIENCE_MS = 10_000

/**
 * Pauses a process by SIGSTOP: connections stay open, and nothing is answered. One thread gets the signal and stops the
 * others, which on a busy machine may send some answers first. On Linux, this function waits until all are stopped.
 */
export function pauseProcess (pid: number): void {
  process.kill(pid, 'SIGSTOP')
  if (process.platform !== 'linux') return
  const clock = new Int32Array(new SharedArrayBuffer(4))
  const startedAt = performance.now()
  while (!threadsOf(pid).every(isStopped)) {
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(`process ${pid} still runs`)
    Atomics.wait(clock, 0, 0, 1)
  }
}

/** Reads the first field after the name, which may contain blanks and brackets (proc(5)). */
function isStopped (stat: string): boolean {
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}

function threadsOf (pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    } catch {
      return [] // The thread has ended.
    }
  })
}
