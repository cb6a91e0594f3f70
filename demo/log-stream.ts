import type { Writable } from 'node:stream'

/** Most bytes of lines that wait for a reader. */
const MAX_WAITING_BYTES = 1024 * 1024

/**
 * Standard output for the log. A reader that stops reading costs lines of the log: a pipe that is full must stop
 * neither the answers nor the signals that end the process. A reader that is gone costs all later lines.
 */
export function createLogStream (output: Writable = process.stdout): { write (line: string): void } {
  let dropped = 0
  output.on('error', () => {})
  return {
    write (line) {
      if (output.writableLength > MAX_WAITING_BYTES) {
        dropped++
        return
      }
      if (dropped > 0) {
        output.write(`${JSON.stringify({ level: 40, time: Date.now(), dropped, msg: 'log lines dropped' })}\n`)
        dropped = 0
      }
      output.write(line)
    }
  }
}
