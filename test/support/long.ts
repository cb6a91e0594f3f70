import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Seconds that a long test without an end of its own goes on for; `npm run test:long` shares its minutes out. */
export const SECONDS = Number(process.env.TEST_SECONDS ?? 60)

/** A folder for what a test found: in that of `npm run test:long`, which says where it is. */
export function newFolderOf (name: string): string {
  return mkdtempSync(join(process.env.TEST_FOUND ?? tmpdir(), `${name}-`))
}
