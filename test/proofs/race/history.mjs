import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** What one process does and sees, a line of JSON each. */
export function openHistory (folder, by) {
  const file = openSync(join(folder, `${by}.jsonl`), 'a')
  // Written at once: the process may be killed at any moment.
  return (what, details = {}) => { writeSync(file, `${JSON.stringify({ at: Date.now(), by, what, ...details })}\n`) }
}

/** The lines of all processes, in the order of their moments; those of one process stay in its order. */
export function readHistory (folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean))
  return lines.map((line) => JSON.parse(line)).sort((a, b) => a.at - b.at)
}
