import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {{ at: number, by: string, what: string, [detail: string]: unknown }} Line `at` in milliseconds of the epoch
 * @typedef {(what: string, details?: object) => void} Note
 */

/**
 * Writes the actions and observations of one process, one line of JSON each.
 *
 * @param {string} folder
 * @param {string} by
 * @returns {Note}
 */
export function openHistory (folder, by) {
  const file = openSync(join(folder, `${by}.jsonl`), 'a')
  // The line is written synchronously, since the process may be killed at any moment.
  return (what, details = {}) => { writeSync(file, `${JSON.stringify({ at: Date.now(), by, what, ...details })}\n`) }
}

/**
 * Reads the lines of all processes in order of time; lines of one process keep their order.
 *
 * @param {string} folder
 * @returns {Line[]}
 */
export function readHistory (folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean))
  return lines.map((line) => JSON.parse(line)).sort((a, b) => a.at - b.at)
}
