import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Duration in seconds of a long test without an end of its own; `npm run test:long` shares out its minutes. */
export const SECONDS = Number(process.env.TEST_SECONDS ?? 60)

/** Creates a folder for the findings of a test, below that of `npm run test:long`, which prints its path. */
export function newFolderOf (name: string): string {
  return mkdtempSync(join(process.env.TEST_FOUND ?? tmpdir(), `${name}-`))
}
