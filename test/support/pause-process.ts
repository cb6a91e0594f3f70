import { readdirSync, readFileSync } from 'node:fs'

const PATIENCE_MS = 10_000

/**
 * SIGSTOP: connections stay open, and nothing is answered. One thread gets the signal and stops the others, which go on
 * until then: on a busy machine long enough for some answers. So this waits, on Linux, until all of them stand still.
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

/** The first field behind the name, which may hold blanks and brackets (proc(5)). */
function isStopped (stat: string): boolean {
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}

function threadsOf (pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
    } catch {
      return [] // It ended since.
    }
  })
}
